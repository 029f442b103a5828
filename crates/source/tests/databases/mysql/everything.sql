DROP DATABASE IF EXISTS `DB`;
CREATE DATABASE `DB` CHARACTER SET latin1 COLLATE latin1_german1_ci;
USE `DB`;
SET NAMES utf8mb4;
SET time_zone = '+05:30';

CREATE TABLE parent (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE)
    AUTO_INCREMENT = 500;
INSERT INTO parent (name) VALUES ('ä'), ('O''Neil'), ('tab\tnew\nline\\back');

CREATE TABLE types (
    id INT PRIMARY KEY,
    a TINYINT UNSIGNED, b SMALLINT, c MEDIUMINT, d BIGINT, e DECIMAL(65, 30), f FLOAT, g DOUBLE,
    h BIT(17), i BOOLEAN,
    j CHAR(9), k VARCHAR(99) CHARACTER SET utf8mb4, l TEXT CHARACTER SET utf8mb4, m LONGTEXT,
    n BINARY(5), o VARBINARY(300), p BLOB, q LONGBLOB,
    r DATE, s TIME(6), t DATETIME(6), u TIMESTAMP(6) NULL, v YEAR,
    w ENUM('x', 'y,z', 'it''s'), x SET('one', 'two', 'three'),
    y JSON, g1 POINT SRID 4326, g2 GEOMETRY,
    v1 INT GENERATED ALWAYS AS (a + 1) VIRTUAL, v2 VARCHAR(99) AS (UPPER(k)) STORED,
    v3 VARBINARY(8) AS (UNHEX(HEX(i))) STORED,
    d1 VARCHAR(36) DEFAULT (UUID()), d2 JSON DEFAULT (JSON_ARRAY(1)),
    parent INT UNSIGNED, hidden INT DEFAULT 7 INVISIBLE,
    KEY (b, c), UNIQUE KEY (d), FULLTEXT KEY (m), KEY backwards (b DESC),
    KEY calculated ((a * 2)), KEY several ((CAST(y -> '$.a' AS UNSIGNED ARRAY))),
    CHECK (b IS NULL OR b <> 13), CONSTRAINT idle CHECK (c <> 14) NOT ENFORCED,
    FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci COMMENT 'a table; with -- signs';
INSERT INTO types (id, d1) VALUES (1, 'x');
INSERT INTO types (id, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y,
    g1, g2, parent, hidden) VALUES
    (2, 255, -32768, 8388607, -9223372036854775808,
     '12345678901234567890123456789012345.012345678901234567890123456789', 1.5e-20,
     2.2250738585072014e-308, b'10101010101010101', TRUE,
     'ab', '漢字 🦀 \\ '' " % _', 'ñandú\r\n\0x', REPEAT('lang ', 40000),
     'a\0b', UNHEX('00FF27225C0A0D1A'), UNHEX(REPEAT('00FF', 9000)), REPEAT(UNHEX('8081'), 70000),
     '9999-12-31', '-838:59:59.000000', '1000-01-01 00:00:00.000001',
     '2026-10-25 02:30:00.123456', 2155, 'it''s', 'one,three',
     '{"a": [1, 2], "ü": {"b": 1.0}, "c\\"d": true}',
     ST_GeomFromText('POINT(1.5 -2.5)', 4326),
     ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))'), 500, NULL),
    (3, 0, 0, 0, 0, 0, 0, 0, b'0', FALSE, '', '', '', '', '', '', '', '', '0001-01-01', '00:00:00',
     '2026-01-01', '1970-01-01 05:30:01', 1901, 'x', '', '[]', ST_SRID(POINT(0, 0), 4326),
     NULL, NULL, 0);

CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3));
INSERT INTO vectors VALUES (1, TO_VECTOR('[1.5, -2, 3e10]')), (2, NULL);

CREATE TABLE `odd ``name; -- ü` (`sel``ect` INT, `from` TEXT) ENGINE = MyISAM;
INSERT INTO `odd ``name; -- ü` VALUES (1, 'x');
CREATE TABLE history (id INT, v TEXT) PARTITION BY RANGE (id)
    (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO history VALUES (5, 'low'), (50, 'high');

CREATE VIEW names AS SELECT name, LENGTH(name) AS bytes FROM parent;
CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW longer AS
    SELECT * FROM parent WHERE LENGTH(name) > 2 WITH CHECK OPTION;
CREATE VIEW above AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5)
    SELECT n.i, names.name, ROW_NUMBER() OVER (ORDER BY names.name) AS place FROM n, names;

DELIMITER //
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC COMMENT 'it''s ü' RETURN n * 2 //
CREATE PROCEDURE fill(IN n INT, OUT done INT)
BEGIN
    -- Dump completed
    SET done = 0;
    WHILE done < n DO
        INSERT INTO history VALUES (done, CONCAT('né', done));
        SET done = done + 1;
    END WHILE;
END //
CREATE TRIGGER before_parent BEFORE INSERT ON parent FOR EACH ROW SET NEW.name = TRIM(NEW.name) //
CREATE TRIGGER after_parent AFTER DELETE ON parent FOR EACH ROW
BEGIN
    INSERT INTO history VALUES (OLD.id, OLD.name);
END //
CREATE EVENT cleaning ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE
    COMMENT 'daily' DO DELETE FROM history WHERE id < 0 //
DELIMITER ;
