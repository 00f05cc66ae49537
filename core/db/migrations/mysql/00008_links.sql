-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS links (
    id           BIGINT        NOT NULL PRIMARY KEY,
    slug         VARBINARY(64) NOT NULL,
    affiliate_id BIGINT        NOT NULL,
    program_id   BIGINT        NOT NULL,
    destination  TEXT          NOT NULL,
    status       VARCHAR(16)   NOT NULL CHECK (status IN ('active', 'disabled')),
    expires_at   BIGINT        NOT NULL COMMENT '0: never',
    created_at   BIGINT        NOT NULL,
    updated_at   BIGINT        NOT NULL,
    disabled_at  BIGINT        NOT NULL DEFAULT 0 COMMENT '0: active; kept by a trigger',
    rev          BIGINT        NOT NULL,
    UNIQUE KEY links_slug (slug),
    KEY links_rev (rev),
    KEY links_affiliate (affiliate_id, id),
    KEY links_program (program_id, id),
    CONSTRAINT links_affiliate_fk FOREIGN KEY (affiliate_id) REFERENCES affiliates (id),
    CONSTRAINT links_program_fk FOREIGN KEY (program_id) REFERENCES programs (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
