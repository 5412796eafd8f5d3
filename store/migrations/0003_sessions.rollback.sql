drop table drafts, demo_refunds, requests, calls, steps, messages, conversations, sessions;
