select tenants_with_waiting_work(clock_timestamp() - make_interval(secs => %(unused_for)s))
