drop index sessions_open_turn;
