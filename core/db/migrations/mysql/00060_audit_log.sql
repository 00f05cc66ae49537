-- +goose NO TRANSACTION
-- +goose Up
-- Who changed what. The time is in the identifier. Values are JSON in text, '' for none.
CREATE TABLE IF NOT EXISTS audit_log (
    id           BIGINT       NOT NULL PRIMARY KEY,
    actor_kind   VARCHAR(6)   NOT NULL CHECK (actor_kind IN ('person', 'token', 'system')),
    actor_id     BIGINT       NOT NULL COMMENT '0: the system',
    session_id   BIGINT       NOT NULL COMMENT '0: none',
    actor_name   VARCHAR(128) NOT NULL,
    address      VARCHAR(64)  NOT NULL,
    action       VARCHAR(64)  NOT NULL,
    object       VARCHAR(64)  NOT NULL,
    before_value MEDIUMTEXT   NOT NULL,
    after_value  MEDIUMTEXT   NOT NULL,
    reason       VARCHAR(500) NOT NULL,
    KEY audit_log_object (object, id),
    KEY audit_log_actor (actor_id, id),
    KEY audit_log_action (action, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
