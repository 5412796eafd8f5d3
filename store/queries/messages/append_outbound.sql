select * from append_outbound(%(tenant)s, %(conversation)s, %(message)s, %(external_id)s, %(text)s, %(member)s, %(commit_delivers)s)
