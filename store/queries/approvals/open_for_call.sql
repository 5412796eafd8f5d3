select open_for_call(%(tenant)s, %(call)s, %(purpose)s, %(approval)s, %(kind)s, %(action)s, %(requester)s, %(approvers)s, %(allow_self)s, %(options)s, %(within)s, %(on_timeout)s) as approval
