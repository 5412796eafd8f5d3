select tenants_with_waiting_work(%(expired_before)s)
