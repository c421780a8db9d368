-- One row is one figure of one attack on the marts as they stand.
create schema if not exists audit;

create or replace table audit.privacy_risk (
    attack varchar not null,
    knowledge varchar not null,
    points integer,
    wrong_points integer,
    persons bigint not null,
    persons_left_out bigint not null,
    samples bigint,
    measure varchar not null,
    value double,
    low double,
    high double,
    parameters varchar not null
);

comment on table audit.privacy_risk is 'One row is one figure of one attack on the marts as they stand (consonance attack). A rebuild drops the table.';
comment on column audit.privacy_risk.attack is 'unicity, membership, k, l, shift_recovery, clock_changes, dated_values; docs/numbers.md defines them.';
comment on column audit.privacy_risk.knowledge is 'What the attacker knows beside the marts.';
comment on column audit.privacy_risk.points is 'How many points of a person are rightly known; entries of a scrobble list.';
comment on column audit.privacy_risk.wrong_points is 'How many wrong points are known beside; wrong entries of a scrobble list.';
comment on column audit.privacy_risk.persons is 'How many persons were attacked.';
comment on column audit.privacy_risk.persons_left_out is 'How many were not: too few points, no mood reported, or beyond the number of lists.';
comment on column audit.privacy_risk.samples is 'How many tries there were.';
comment on column audit.privacy_risk.measure is 'What value is.';
comment on column audit.privacy_risk.value is 'A share from 0 to 1; for k and l a count. Null if there was nobody to attack.';
comment on column audit.privacy_risk.low is 'Lower end of the 95 % interval (Wilson) of a share over the samples, not over other persons.';
comment on column audit.privacy_risk.high is 'Upper end of that interval.';
comment on column audit.privacy_risk.parameters is 'JSON: seed, samples per person, and whatever else the figures depend on.';
