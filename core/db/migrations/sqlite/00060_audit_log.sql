-- +goose Up
-- Who changed what. The time is in the identifier. Values are JSON in text, '' for none.
CREATE TABLE audit_log (
    id           INTEGER NOT NULL PRIMARY KEY,
    actor_kind   TEXT    NOT NULL CHECK (actor_kind IN ('person', 'token', 'system')),
    actor_id     INTEGER NOT NULL, -- 0: the system
    session_id   INTEGER NOT NULL, -- 0: none
    actor_name   TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    object       TEXT    NOT NULL,
    before_value TEXT    NOT NULL,
    after_value  TEXT    NOT NULL,
    reason       TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_log_object ON audit_log (object, id);
CREATE INDEX audit_log_actor ON audit_log (actor_id, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
