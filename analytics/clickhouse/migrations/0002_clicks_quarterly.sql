-- Roll-up by the quarter of an hour, the largest step that every time zone in use today shares: hours and days begin at
-- a quarter also where the offset is +05:30 or +05:45.
CREATE TABLE IF NOT EXISTS {{.Local "clicks_quarterly"}} {{.OnCluster}} (
    affiliate_id Int64                                   CODEC(ZSTD(1)),
    quarter      DateTime('UTC')                         CODEC(Delta(4), ZSTD(1)),
    program_id   Int64                                   CODEC(ZSTD(1)),
    link_id      Int64                                   CODEC(ZSTD(1)),
    bot          LowCardinality(String)                  CODEC(ZSTD(1)),
    clicks       SimpleAggregateFunction(sum, UInt64)    CODEC(ZSTD(1)),
    visitors     AggregateFunction(uniqCombined64, Date, UInt64) CODEC(ZSTD(1))
)
ENGINE = {{.Engine "AggregatingMergeTree"}}
PARTITION BY toYYYYMM(quarter)
PRIMARY KEY (affiliate_id, quarter)
ORDER BY (affiliate_id, quarter, program_id, link_id, bot)
SETTINGS {{.Window}};

CREATE MATERIALIZED VIEW IF NOT EXISTS clicks_quarterly_view {{.OnCluster}} TO {{.Local "clicks_quarterly"}} AS
SELECT
    affiliate_id,
    toStartOfFifteenMinutes(time) AS quarter,
    program_id,
    link_id,
    bot,
    count() AS clicks,
    uniqCombined64State(toDate(time), visitor) AS visitors
FROM {{.Local "clicks"}}
GROUP BY affiliate_id, quarter, program_id, link_id, bot;
