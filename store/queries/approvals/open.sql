insert into approvals (tenant_id, id, kind, action, arguments, arguments_sha256, purpose, requester, allow_self, approvers, options, form, context, deadline_at, on_timeout, wake_at)
values (%(tenant)s, %(approval)s, %(kind)s, %(action)s, %(arguments)s, %(sha256)s, 'program', %(requester)s, %(allow_self)s, %(approvers)s, %(options)s, %(form)s,
        %(context)s, clock_timestamp() + make_interval(secs => %(within)s), %(on_timeout)s, clock_timestamp() + interval '2 s')
