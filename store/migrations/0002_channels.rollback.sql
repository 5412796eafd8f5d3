drop table bindings, agents, peers, accounts;
