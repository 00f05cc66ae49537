-- +goose NO TRANSACTION
-- +goose Up
-- confirmed_at 0: enrolment has begun. last_step: the newest time step whose code was taken; older ones are refused.
CREATE TABLE IF NOT EXISTS second_factors (
    person_id    BIGINT NOT NULL PRIMARY KEY,
    secret       VARCHAR(255) NOT NULL COMMENT 'sealed',
    confirmed_at BIGINT NOT NULL,
    last_step    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
