-- History of other databases, brought by files that prove themselves. Nothing of an import is seen before its
-- last line has come (is_whole); what a start finds unfinished is swept away.

CREATE TABLE history_import (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    database TEXT NOT NULL,           -- the one that wrote the file
    chain TEXT NOT NULL DEFAULT '',   -- of the file's last line
    actor TEXT NOT NULL,
    added INTEGER NOT NULL DEFAULT 0,
    replaced INTEGER NOT NULL DEFAULT 0,
    imported_at_ms INTEGER,
    is_whole INTEGER NOT NULL DEFAULT 0 CHECK (is_whole = 0 OR is_whole = 1),
    CHECK ((imported_at_ms IS NULL) = (is_whole = 0))
) STRICT;

-- Each line as it was written, without its chain. A later import may bring a newer version of a job: the
-- newest whole one counts.
CREATE TABLE imported_line (
    id INTEGER PRIMARY KEY,
    import_id INTEGER NOT NULL REFERENCES history_import (id),
    origin TEXT NOT NULL,             -- the database that a job ran under
    type TEXT NOT NULL CHECK (type = 'job' OR type = 'fire' OR type = 'unreadable'),
    text TEXT NOT NULL,
    number INTEGER NOT NULL,          -- a job's id there
    version INTEGER NOT NULL,
    object TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX imported_place ON imported_line (origin, type, text, number, import_id);
CREATE INDEX imported_of_import ON imported_line (import_id);

CREATE TRIGGER imported_line_is_final BEFORE UPDATE ON imported_line
BEGIN
    SELECT RAISE(ABORT, 'imported_line_is_final');
END;

-- CROSS: from the line to its import, so that the order of imported_place is kept.
CREATE VIEW imported_view AS
SELECT l.origin, l.type, l.text, l.number, l.version, l.object, i.imported_at_ms
FROM imported_line AS l CROSS JOIN history_import AS i ON i.id = l.import_id
WHERE i.is_whole = 1 AND NOT EXISTS (
    SELECT 1 FROM imported_line AS newer CROSS JOIN history_import AS n ON n.id = newer.import_id
    WHERE newer.origin = l.origin AND newer.type = l.type AND newer.text = l.text
          AND newer.number = l.number AND newer.import_id > l.import_id AND n.is_whole = 1);
