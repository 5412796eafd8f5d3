drop table votes, approvals;
