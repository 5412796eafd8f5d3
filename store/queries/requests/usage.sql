select model, count(*) as requests, count(*) filter (where outcome = 'used') as used, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out,
       sum(cost_usd)::float as cost_usd
  from requests where tenant_id = %(tenant)s and at >= %(since)s and at < %(until)s
 group by model order by sum(cost_usd) desc nulls last, model
