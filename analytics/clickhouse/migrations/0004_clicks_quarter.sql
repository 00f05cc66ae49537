-- The quarter of an hour that a click falls into. Reports read it instead of time: it takes hardly any space, and a tenth
-- of the processor time to read.
ALTER TABLE {{.Local "clicks"}} {{.OnCluster}} ADD COLUMN IF NOT EXISTS
    quarter DateTime('UTC') MATERIALIZED toStartOfFifteenMinutes(time) CODEC(Delta(4), LZ4);

ALTER TABLE {{.Local "clicks"}} {{.OnCluster}} MATERIALIZE COLUMN quarter;
