-- Past failures judged again. The ledger itself stays as it is: an event's effective verdict is
-- that of its newest re-qualification that was not undone, else its own.

-- selection, verdict and numbers are JSON: what was asked for, and what came of it.
CREATE TABLE requalification (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    by        TEXT NOT NULL,
    comment   TEXT NOT NULL,
    selection TEXT NOT NULL,
    verdict   TEXT NOT NULL,
    numbers   TEXT NOT NULL,
    undone    INTEGER,
    undone_by TEXT
);

-- old and new are verdicts as JSON.
CREATE TABLE requalified_event (
    requalification INTEGER NOT NULL,
    event           INTEGER NOT NULL,
    old             TEXT NOT NULL,
    new             TEXT NOT NULL,
    PRIMARY KEY (requalification, event)
) WITHOUT ROWID;
CREATE INDEX requalified_event_by_event ON requalified_event (event);

-- The quarantine entries as they stood before and after (JSON, NULL when not listed).
CREATE TABLE requalified_address (
    requalification INTEGER NOT NULL,
    key             TEXT NOT NULL,
    channel         INTEGER NOT NULL,
    before          TEXT,
    after           TEXT,
    PRIMARY KEY (requalification, key, channel)
) WITHOUT ROWID;

-- Up to when events were folded: the newest snapshot.
CREATE INDEX event_folded ON event (at) WHERE snapshot = 1;
