CREATE SCHEMA "odd ""name; ü";
CREATE EXTENSION pg_trgm;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE numbers START 100 INCREMENT 10;
SELECT nextval('numbers');
SET TIME ZONE 'Asia/Kolkata';

CREATE TABLE parent (id int GENERATED ALWAYS AS IDENTITY (START 500) PRIMARY KEY,
    name text NOT NULL UNIQUE);
INSERT INTO parent (name) VALUES ('ä'), ('O''Neil'), (E'tab\tnew\nline\\back'), ('\.');

CREATE TABLE types (
    id int PRIMARY KEY,
    a smallint, b bigint, c numeric(60, 25), d real, e double precision, f money, g boolean,
    h char(9), i varchar(99), j text, k bytea, l bit(5), m bit varying,
    n date, o time(6), p timetz, q timestamp, r timestamptz, s interval,
    t mood, u pair, v positive, w int[], x text[][], y mood[],
    z json, jb jsonb, xm xml, uu uuid, ip inet, ci cidr, mc macaddr,
    p1 point, p2 polygon, r1 int4range, r2 tstzmultirange, ts tsvector, tq tsquery,
    lo oid, gen text GENERATED ALWAYS AS (upper(j)) STORED,
    parent int REFERENCES parent (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    CHECK (a <> 13), EXCLUDE USING gist (r1 WITH &&)
);
COMMENT ON COLUMN types.a IS 'it''s a -- comment';
INSERT INTO types (id) VALUES (1);
INSERT INTO types VALUES (2, -32768, -9223372036854775808,
    12345678901234567890123456789012345.0123456789012345678901234, 1.5e-20, 2.2250738585072014e-308,
    -12.34, true, 'ab', '漢字 🦀', E'ñ\r\n\\N \\. \t', decode(repeat('00ff5c27', 50000), 'hex'),
    b'10101', b'1', '4713-01-01 BC', '23:59:59.999999', '12:00+05:30', 'infinity',
    '2026-10-25 02:30:00.123456 Europe/Berlin', '1 year -2 days 03:04:05.6', 'it''s fine',
    ROW(1, 'a,"b')::pair, 7, '{1,NULL,3}', '{{a,"b,c"},{NULL,"\"q"}}', '{sad,ok}',
    '{"b": 1,  "a": [1, null]}', '{"b": 1.10, "a": [1, null, "ü"]}', '<a b="c">d</a>',
    '12345678-1234-5678-9abc-123456789012', '2001:db8::1/64', '192.0.2.0/24', '08:00:2b:01:02:03',
    '(1.5,-2)', '((0,0),(1,0),(1,1))', '[1,5)', '{[2026-01-01,2026-02-01)}',
    'fat:1A cat', 'fat & !rat', lo_from_bytea(0, decode(repeat('deadbeef', 30000), 'hex')),
    DEFAULT, 500);
INSERT INTO types (id, d, e, j, k, w, n) VALUES
    (3, 'NaN', '-Infinity', '', '', '{}', 'infinity');

CREATE TABLE log (id int, at date) PARTITION BY RANGE (id);
CREATE TABLE log_low PARTITION OF log FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE log_high PARTITION OF log DEFAULT;
INSERT INTO log SELECT n, DATE '2026-01-01' + n FROM generate_series(1, 100) n;
CREATE INDEX ON parent USING gin (name gin_trgm_ops);
CREATE TABLE "odd ""name; ü"."select" ("from" int, "WHERE" text);
INSERT INTO "odd ""name; ü"."select" VALUES (1, 'x');

CREATE VIEW names AS SELECT name, length(name) AS chars FROM parent;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM log;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- PostgreSQL database dump complete
    INSERT INTO log VALUES (1000, DATE '2030-01-01');
    RETURN NEW;
END $$;
CREATE TRIGGER noted AFTER DELETE ON parent FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE types ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd_only ON types FOR SELECT USING (id % 2 = 1);
