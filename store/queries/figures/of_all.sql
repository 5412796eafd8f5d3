select * from figures_of_all()
