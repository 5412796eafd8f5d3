update bindings set account_id = case when %(any_account)s then null else coalesce(%(account)s, account_id) end,
       chat = coalesce(%(chat)s, chat), thread = coalesce(%(thread)s, thread), agent_id = coalesce(%(agent)s, agent_id)
 where tenant_id = %(tenant)s and id = %(binding)s
returning id
