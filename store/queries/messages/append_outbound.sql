select append_outbound(%(tenant)s, %(conversation)s, %(message)s, %(text)s, %(member)s, %(commit_delivers)s) as session
