select c.id, c.account_id, c.chat, c.thread, c.peer, c.state, c.last_seq, a.admission, a.channel, a.owner_identities, c.next_session_id, c.wake_at,
       (select s.agent_id from sessions s where s.tenant_id = c.tenant_id and s.id = c.session_id and s.life <> 'closed') as agent_id,
       coalesce((select p.tier from peers e join people p on p.tenant_id = e.tenant_id and p.id = e.person_id
                  where e.tenant_id = c.tenant_id and e.account_id = c.account_id and e.external_id = c.peer), 'guest') as tier,
       exists (select from messages m where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state in ('intent', 'sending')) as unsent,
       coalesce((select jsonb_agg(jsonb_build_object('id', b.id, 'account_id', b.account_id, 'chat', b.chat, 'thread', b.thread, 'agent_id', b.agent_id))
          from bindings b where b.tenant_id = c.tenant_id and (b.account_id is null or b.account_id = c.account_id)), '[]') as bindings
  from conversations c join accounts a on a.tenant_id = c.tenant_id and a.id = c.account_id
 where c.tenant_id = %(tenant)s and c.id = %(conversation)s
