select count(*) as spilled from generate_series(1, 20000)
