-- The first schema. Times are integer milliseconds UTC, sizes bytes. Never edited after a release:
-- a change is a new file with the next number.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Every change of state that exists. The trigger job_change refuses the others.
CREATE TABLE legal_change (
    was TEXT NOT NULL,
    becomes TEXT NOT NULL,
    PRIMARY KEY (was, becomes)
) STRICT, WITHOUT ROWID;

-- The hot row: what planning and lists read. Long texts live in job_spec. Its checks compare one by one: for
-- a list, SQLite builds a table at each insert, which took a third of its time.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'starting' OR state = 'running'
        OR state = 'yielding' OR state = 'parked' OR state = 'stopping' OR state = 'succeeded'
        OR state = 'failed' OR state = 'cancelled' OR state = 'skipped' OR state = 'expired'),
    class TEXT NOT NULL CHECK (class = 'inference' OR class = 'training' OR class = 'evaluation'
        OR class = 'synthesis'),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    priority INTEGER NOT NULL CHECK (priority BETWEEN -100 AND 100),
    order_key INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
    gpu TEXT NOT NULL DEFAULT '',
    vram INTEGER NOT NULL CHECK (vram >= 0),
    ram INTEGER NOT NULL CHECK (ram >= 0),
    cpu INTEGER NOT NULL CHECK (cpu >= 0),
    window_name TEXT NOT NULL DEFAULT '',
    preemptible INTEGER NOT NULL CHECK (preemptible IN (0, 1)),
    checkpoint_mode TEXT NOT NULL CHECK (
        checkpoint_mode = 'worker' OR checkpoint_mode = 'signal' OR checkpoint_mode = 'none'),
    retries INTEGER NOT NULL CHECK (retries >= 0),
    retries_left INTEGER NOT NULL CHECK (retries_left >= 0),
    not_before_ms INTEGER,
    start_deadline_ms INTEGER,
    time_limit_ms INTEGER,
    estimate_ms INTEGER,
    retry_at_ms INTEGER,
    -- The later of not_before and retry_at while it lies ahead; NULL once it has passed.
    wake_at_ms INTEGER,
    eligible_since_ms INTEGER,
    eligible_ms INTEGER NOT NULL DEFAULT 0 CHECK (eligible_ms >= 0),
    at_window_end TEXT CHECK (at_window_end IN ('yield', 'finish_if_p90_before', 'kill')),
    spec_group TEXT NOT NULL DEFAULT '',
    deps_open INTEGER NOT NULL DEFAULT 0 CHECK (deps_open >= 0),
    dependencies INTEGER NOT NULL DEFAULT 0,
    labels INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    preemptions INTEGER NOT NULL DEFAULT 0,
    run_time_ms INTEGER NOT NULL DEFAULT 0,
    peak_vram INTEGER NOT NULL DEFAULT 0,
    has_checkpoint INTEGER NOT NULL DEFAULT 0 CHECK (has_checkpoint IN (0, 1)),
    schedule TEXT NOT NULL DEFAULT '',
    schedule_nominal_ms INTEGER,
    rerun_of INTEGER NOT NULL DEFAULT 0,
    created_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER,
    ended_at_ms INTEGER,
    outcome_code TEXT,
    outcome_message TEXT,
    outcome_exit_code INTEGER,
    outcome_signal INTEGER,
    outcome_cached INTEGER NOT NULL DEFAULT 0 CHECK (outcome_cached IN (0, 1)),
    progress_phase TEXT,
    progress_step INTEGER,
    progress_steps INTEGER,
    progress_eta_ms INTEGER,
    progress_metrics BLOB,
    CHECK ((ended_at_ms IS NULL) = (state <> 'succeeded' AND state <> 'failed' AND state <> 'cancelled' AND
                                    state <> 'skipped' AND state <> 'expired')),
    CHECK ((outcome_code IS NULL) = (ended_at_ms IS NULL))
) STRICT;

-- Indexes over waiting and live rows only, so that finished jobs cost the scheduler nothing.
CREATE INDEX job_ready ON job (class, window_name, priority DESC, order_key)
    WHERE state = 'waiting' AND held = 0 AND deps_open = 0 AND wake_at_ms IS NULL;
CREATE INDEX job_aged ON job (class, (eligible_since_ms - eligible_ms))
    WHERE state = 'waiting' AND held = 0 AND deps_open = 0 AND wake_at_ms IS NULL
          AND eligible_since_ms IS NOT NULL;
-- Grown older before, not growing older now: a pause or a window is in the way.
CREATE INDEX job_rested ON job (class, eligible_ms DESC)
    WHERE state = 'waiting' AND held = 0 AND deps_open = 0 AND wake_at_ms IS NULL
          AND eligible_since_ms IS NULL AND eligible_ms > 0;
CREATE INDEX job_order ON job (class, order_key)
    WHERE state = 'waiting';
CREATE INDEX job_wake ON job (wake_at_ms)
    WHERE state = 'waiting' AND wake_at_ms IS NOT NULL;
CREATE INDEX job_deadline ON job (start_deadline_ms)
    WHERE state = 'waiting' AND start_deadline_ms IS NOT NULL;
CREATE INDEX job_live ON job (id)
    WHERE state IN ('starting', 'running', 'yielding', 'parked', 'stopping');
CREATE INDEX job_open_of_schedule ON job (schedule)
    WHERE schedule <> '' AND ended_at_ms IS NULL;
-- Pages of a list: each combination of filters is a merge of runs of one of these two.
CREATE INDEX job_by_group ON job (state, class, kind, id) WHERE hidden = 0;
CREATE INDEX job_by_schedule ON job (schedule, state, class, kind, id) WHERE schedule <> '' AND hidden = 0;
CREATE INDEX job_by_end ON job (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

CREATE TABLE job_spec (
    job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    params TEXT NOT NULL,
    command BLOB,
    cwd TEXT NOT NULL DEFAULT '',
    env BLOB
) STRICT;

CREATE TABLE dep (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    on_job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('success', 'any', 'failure')),
    is_met INTEGER NOT NULL DEFAULT 0 CHECK (is_met IN (0, 1)),
    PRIMARY KEY (job_id, on_job)
) STRICT, WITHOUT ROWID;
CREATE INDEX dep_unmet ON dep (on_job) WHERE is_met = 0;
CREATE INDEX dep_parent ON dep (on_job);

CREATE TABLE label (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

-- end_kind is NULL exactly while the attempt is live.
CREATE TABLE attempt (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number >= 1),
    token TEXT NOT NULL UNIQUE,
    device TEXT NOT NULL,
    worker_boot TEXT,
    worker_pid INTEGER,
    worker_ticks INTEGER,
    command_boot TEXT,
    command_pid INTEGER,
    command_ticks INTEGER,
    granted_at_ms INTEGER NOT NULL,
    running_at_ms INTEGER,
    ended_at_ms INTEGER,
    end_kind TEXT CHECK (end_kind = 'ok' OR end_kind = 'failed' OR end_kind = 'try_again'
        OR end_kind = 'preempted' OR end_kind = 'cancelled' OR end_kind = 'time_limit'
        OR end_kind = 'lost' OR end_kind = 'over_budget' OR end_kind = 'spawn_error'),
    exit_code INTEGER,
    signal INTEGER,
    deadline_ms INTEGER,
    beneficiary INTEGER NOT NULL DEFAULT 0,
    stop_reason TEXT NOT NULL DEFAULT '',
    peak_vram INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, number),
    CHECK ((ended_at_ms IS NULL) = (end_kind IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attempt_live ON attempt (job_id) WHERE end_kind IS NULL;

-- The ledger. A row goes only when its bytes were seen free, or the machine restarted.
CREATE TABLE lease (
    job_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    device TEXT NOT NULL,
    budget INTEGER NOT NULL CHECK (budget >= 0),
    used INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
    peak INTEGER NOT NULL DEFAULT 0 CHECK (peak >= 0),
    is_reclaiming INTEGER NOT NULL DEFAULT 0 CHECK (is_reclaiming IN (0, 1)),
    grade TEXT NOT NULL DEFAULT 'none'
        CHECK (grade = 'kernel' OR grade = 'driver' OR grade = 'interposed' OR grade = 'allocator'
               OR grade = 'watchdog' OR grade = 'none'),
    PRIMARY KEY (job_id, number),
    FOREIGN KEY (job_id, number) REFERENCES attempt (job_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    path TEXT NOT NULL,
    step INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    committed_at_ms INTEGER NOT NULL,
    is_bad INTEGER NOT NULL DEFAULT 0 CHECK (is_bad IN (0, 1)),
    UNIQUE (job_id, attempt, step, sha256)
) STRICT;
CREATE INDEX checkpoint_last ON checkpoint (job_id, id) WHERE is_bad = 0;

CREATE TABLE artifact (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE preemption (
    at_ms INTEGER NOT NULL,
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    beneficiary INTEGER NOT NULL,
    PRIMARY KEY (job_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX preemption_at ON preemption (at_ms);

CREATE TABLE schedule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    cron TEXT NOT NULL,
    timezone TEXT NOT NULL,
    missed TEXT NOT NULL CHECK (missed IN ('once', 'skip', 'all')),
    overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'queue', 'replace')),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    jobs TEXT NOT NULL,
    next_fire_ms INTEGER,
    last_fire_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;

-- One row for each nominal time that was decided: a time cannot fire twice.
CREATE TABLE schedule_fire (
    schedule_id INTEGER NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
    nominal_ms INTEGER NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('run', 'skip')),
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (schedule_id, nominal_ms)
) STRICT, WITHOUT ROWID;

-- The append-only log; seq is the resume cursor of every listener and has no gaps.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    topic TEXT NOT NULL,
    kind TEXT NOT NULL,
    job_id INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    actor TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX event_of_job ON event (job_id, seq) WHERE job_id <> 0;
CREATE INDEX event_at ON event (at_ms);

CREATE TABLE wait_span (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,
    PRIMARY KEY (job_id, from_ms, reason)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX wait_span_open ON wait_span (job_id, reason) WHERE to_ms IS NULL;

CREATE TABLE idem (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    jobs TEXT NOT NULL,  -- what was made: ids, a space between them
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idem_expires ON idem (expires_at_ms);

CREATE TABLE token (
    sha256 TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
    label TEXT NOT NULL,
    expires_at_ms INTEGER
) STRICT, WITHOUT ROWID;

-- The newest runs of each kind: the base of estimates.
CREATE TABLE run_stat (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    run_time_ms INTEGER NOT NULL,
    peak_vram INTEGER NOT NULL,
    spec_group TEXT NOT NULL DEFAULT '',
    budget INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX run_stat_kind ON run_stat (kind, id);

-- How long ended attempts held a device, by class and full hour, for the last day.
CREATE TABLE gpu_time (
    hour_ms INTEGER NOT NULL,
    class TEXT NOT NULL,
    held_ms INTEGER NOT NULL CHECK (held_ms >= 0),
    PRIMARY KEY (hour_ms, class)
) STRICT, WITHOUT ROWID;

-- What plans saw that is not a job, so that the past can be lived through again: a row for each plan that
-- decided something or saw something new. policy and devices only where they changed.
CREATE TABLE plan_log (
    plan_seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    is_paused INTEGER NOT NULL CHECK (is_paused IN (0, 1)),
    starts INTEGER NOT NULL,
    yields INTEGER NOT NULL,
    cpu INTEGER NOT NULL,
    ram INTEGER NOT NULL,
    policy TEXT,
    has_devices INTEGER NOT NULL CHECK (has_devices IN (0, 1))
) STRICT;
CREATE INDEX plan_log_at ON plan_log (at_ms);
CREATE TABLE plan_device (
    plan_seq INTEGER NOT NULL REFERENCES plan_log (plan_seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL,
    total INTEGER NOT NULL,
    foreign_used INTEGER NOT NULL,
    PRIMARY KEY (plan_seq, position)
) STRICT, WITHOUT ROWID;

-- Counts by state, kept by triggers: counting a million rows at every pass would cost more than planning.
CREATE TABLE tally (
    state TEXT NOT NULL,
    class TEXT NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (state, class, kind)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER job_tally_insert AFTER INSERT ON job
BEGIN
    INSERT INTO tally VALUES (NEW.state, NEW.class, NEW.kind, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER job_tally_update AFTER UPDATE OF state, class, kind ON job
BEGIN
    UPDATE tally SET count = count - 1 WHERE state = OLD.state AND class = OLD.class AND kind = OLD.kind;
    INSERT INTO tally VALUES (NEW.state, NEW.class, NEW.kind, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER job_tally_delete AFTER DELETE ON job
BEGIN
    UPDATE tally SET count = count - 1 WHERE state = OLD.state AND class = OLD.class AND kind = OLD.kind;
END;

CREATE TRIGGER job_change BEFORE UPDATE OF state ON job
WHEN NOT EXISTS (SELECT 1 FROM legal_change WHERE was = OLD.state AND becomes = NEW.state)
BEGIN
    SELECT RAISE(ABORT, 'illegal_transition');
END;
CREATE TRIGGER event_is_final BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'event_is_final');
END;

-- What must not happen, whatever the program above does.
CREATE TRIGGER job_end_is_final BEFORE UPDATE OF ended_at_ms, outcome_code ON job
WHEN OLD.ended_at_ms IS NOT NULL
     AND (NEW.ended_at_ms IS NOT OLD.ended_at_ms OR NEW.outcome_code IS NOT OLD.outcome_code)
BEGIN
    SELECT RAISE(ABORT, 'job_end_is_final');
END;
CREATE TRIGGER job_origin_is_final BEFORE UPDATE OF id, created_at_ms ON job
WHEN NEW.id <> OLD.id OR NEW.created_at_ms <> OLD.created_at_ms
BEGIN
    SELECT RAISE(ABORT, 'job_origin_is_final');
END;
CREATE TRIGGER attempt_end_is_final BEFORE UPDATE OF end_kind, ended_at_ms ON attempt
WHEN OLD.end_kind IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'attempt_end_is_final');
END;
CREATE TRIGGER lease_in_use BEFORE DELETE ON lease
WHEN OLD.is_reclaiming = 0
BEGIN
    SELECT RAISE(ABORT, 'lease_in_use');
END;
CREATE TRIGGER checkpoint_is_final BEFORE UPDATE OF job_id, attempt, path, step, bytes, sha256 ON checkpoint
BEGIN
    SELECT RAISE(ABORT, 'checkpoint_is_final');
END;
CREATE TRIGGER event_in_the_middle BEFORE DELETE ON event
WHEN EXISTS (SELECT 1 FROM event WHERE seq < OLD.seq)
BEGIN
    SELECT RAISE(ABORT, 'event_in_the_middle');
END;
CREATE INDEX job_open_rerun ON job (rerun_of) WHERE rerun_of <> 0 AND ended_at_ms IS NULL;
CREATE TRIGGER job_is_needed BEFORE DELETE ON job
WHEN OLD.ended_at_ms IS NULL
     OR EXISTS (SELECT 1 FROM dep JOIN job AS child ON child.id = dep.job_id
                WHERE dep.on_job = OLD.id AND child.ended_at_ms IS NULL)
     OR EXISTS (SELECT 1 FROM job WHERE rerun_of = OLD.id AND rerun_of <> 0 AND ended_at_ms IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'job_is_needed');
END;

INSERT INTO legal_change VALUES
    ('waiting', 'starting'), ('waiting', 'cancelled'), ('waiting', 'skipped'), ('waiting', 'expired'),
    ('starting', 'running'), ('starting', 'waiting'), ('starting', 'yielding'), ('starting', 'stopping'),
    ('starting', 'succeeded'), ('starting', 'failed'), ('starting', 'cancelled'),
    ('running', 'yielding'), ('running', 'stopping'), ('running', 'waiting'),
    ('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled'),
    ('yielding', 'parked'), ('yielding', 'stopping'), ('yielding', 'waiting'),
    ('yielding', 'succeeded'), ('yielding', 'failed'), ('yielding', 'cancelled'),
    ('parked', 'running'), ('parked', 'yielding'), ('parked', 'stopping'), ('parked', 'waiting'),
    ('parked', 'succeeded'), ('parked', 'failed'), ('parked', 'cancelled'),
    ('stopping', 'waiting'), ('stopping', 'succeeded'), ('stopping', 'failed'), ('stopping', 'cancelled');

CREATE VIEW job_view AS
SELECT j.id, j.state, j.class, j.kind, j.name, j.priority, j.order_key, j.version, j.held, j.hidden,
       j.gpu, j.vram, j.ram, j.cpu, j.window_name, j.preemptible, j.checkpoint_mode, j.retries,
       j.retries_left, j.not_before_ms, j.start_deadline_ms, j.time_limit_ms, j.estimate_ms, j.retry_at_ms,
       j.eligible_since_ms,
       j.deps_open, j.dependencies, j.labels, j.attempt, j.preemptions, j.run_time_ms, j.peak_vram,
       j.has_checkpoint, j.schedule, j.rerun_of, j.created_at_ms, j.started_at_ms, j.ended_at_ms,
       j.outcome_code, j.outcome_message, j.outcome_exit_code, j.outcome_signal, j.outcome_cached,
       j.progress_phase, j.progress_step, j.progress_steps, j.progress_eta_ms, j.progress_metrics,
       s.params, s.command, s.cwd, s.env,
       j.wake_at_ms, j.eligible_ms, j.at_window_end, j.spec_group
FROM job AS j JOIN job_spec AS s ON s.job_id = j.id;

-- The same columns without the long texts: what planning reads.
CREATE VIEW job_hot_view AS
SELECT id, state, class, kind, name, priority, order_key, version, held, hidden,
       gpu, vram, ram, cpu, window_name, preemptible, checkpoint_mode, retries, retries_left,
       not_before_ms, start_deadline_ms, time_limit_ms, estimate_ms, retry_at_ms, eligible_since_ms,
       deps_open, dependencies, labels, attempt, preemptions, run_time_ms, peak_vram,
       has_checkpoint, schedule, rerun_of, created_at_ms, started_at_ms, ended_at_ms,
       outcome_code, outcome_message, outcome_exit_code, outcome_signal, outcome_cached,
       progress_phase, progress_step, progress_steps, progress_eta_ms, progress_metrics,
       '{}' AS params, NULL AS command, '' AS cwd, NULL AS env,
       wake_at_ms, eligible_ms, at_window_end, spec_group
FROM job;

CREATE VIEW attempt_view AS
SELECT job_id, number, token, worker_boot, worker_pid, worker_ticks, command_boot, command_pid, command_ticks,
       device, granted_at_ms, running_at_ms, ended_at_ms, end_kind, exit_code, signal, deadline_ms,
       beneficiary, stop_reason
FROM attempt;

-- Only checkpoints that may be resumed from.
CREATE VIEW checkpoint_view AS
SELECT job_id, attempt, path, step, bytes, sha256, committed_at_ms, id FROM checkpoint WHERE is_bad = 0;
