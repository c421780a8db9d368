-- One row is one feature and one characteristic of plays: how plays of music that has a value of the feature differ from
-- the others.
{%- set characteristics = {
    'played_seconds': "ms_played / 1000.0",
    'is_counted': "case when is_counted then 1 else 0 end",
    'is_skip': "case when is_skip then 1 when not is_skip then 0 end",
    'is_shuffle': "case when is_shuffle then 1 when not is_shuffle then 0 end",
    'is_of_account_history': "case when history_source = 'account' then 1 else 0 end",
    'log_plays_of_track': "ln(plays_of_track)",
    'year_of_history': year_of_history('started_at_local', 'began_at_local'),
    'is_at_night': 'case when extract(hour from started_at_local) < 6 then 1 else 0 end',
} %}
with plays as {{ read_anew() }} (select * from {{ ref('plays') }}),

feat_track_coverage as (select * from {{ ref('feat_track_coverage') }}),

feat_coverage_classes as (select * from {{ ref('feat_coverage_classes') }}),

audio_features as (select * from {{ ref('audio_features') }}),

begun as (
    select
        participant_id,
        min(started_at_local) as began_at_local
    from plays
    group by participant_id
),

popularity as (
    select
        track_id,
        count(*) as plays_of_track
    from plays
    where content_type = 'track'
    group by track_id
),

music as (
    select
        plays.participant_id,
        plays.history_source,
        plays.started_at_local,
        begun.began_at_local,
        plays.ms_played,
        plays.is_counted,
        plays.is_skip,
        plays.is_shuffle,
        popularity.plays_of_track,
        coalesce(feat_track_coverage.coverage_class, 0) as coverage_class
    from plays
    inner join begun on plays.participant_id = begun.participant_id
    left join popularity on plays.track_id = popularity.track_id
    left join feat_track_coverage on plays.track_id = feat_track_coverage.track_id
    where plays.content_type = 'track'
),

-- Decimals, whose sums do not depend on the order of adding. Squares need more digits.
characterised as (
    select
        participant_id,
        coverage_class
        {%- for name, expression in characteristics.items() %},
        cast({{ expression }} as decimal(14, 3)) as {{ name }}
        {%- endfor %}
    from music
),

participant_sums as (
    select
        participant_id,
        coverage_class
        {%- for name in characteristics %},
        count({{ name }}) as {{ name }}_n,
        sum({{ name }}) as {{ name }}_sum,
        sum({{ name }} * cast({{ name }} as decimal(20, 3))) as {{ name }}_squares
        {%- endfor %}
    from characterised
    group by participant_id, coverage_class
),

class_sums as (
    select
        coverage_class
        {%- for name in characteristics %},
        sum({{ name }}_n) as {{ name }}_n,
        sum({{ name }}_sum) as {{ name }}_sum,
        sum({{ name }}_squares) as {{ name }}_squares
        {%- endfor %}
    from participant_sums
    group by coverage_class
),

sums as (
    {%- for name in characteristics %}
    select
        coverage_class,
        '{{ name }}' as characteristic,
        {{ name }}_n as plays,
        {{ name }}_sum as total,
        {{ name }}_squares as squares
    from class_sums
    where {{ name }}_n > 0
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

wanted as (
    select
        sums.coverage_class,
        sums.characteristic,
        sums.plays,
        sums.total,
        sums.squares,
        audio_features.feature
    from sums
    cross join audio_features
),

sides as (
    select
        wanted.feature,
        wanted.characteristic,
        feat_coverage_classes.feature is not null as is_covered,
        cast(sum(wanted.plays) as double) as plays,
        cast(sum(wanted.total) as double) as total,
        cast(sum(wanted.squares) as double) as squares
    from wanted
    left join feat_coverage_classes
        on
            wanted.coverage_class = feat_coverage_classes.coverage_class
            and wanted.feature = feat_coverage_classes.feature
    group by wanted.feature, wanted.characteristic, feat_coverage_classes.feature is not null
),

-- A person counts where the characteristic of a play is known: account histories know of no skip.
wanted_of_participants as (
    select
        participant_sums.*,
        audio_features.feature
    from participant_sums
    cross join audio_features
),

participant_sides as (
    select
        wanted_of_participants.participant_id,
        wanted_of_participants.feature,
        feat_coverage_classes.feature is not null as is_covered
        {%- for name in characteristics %},
        max(wanted_of_participants.{{ name }}_n) as {{ name }}_n
        {%- endfor %}
    from wanted_of_participants
    left join feat_coverage_classes
        on
            wanted_of_participants.coverage_class = feat_coverage_classes.coverage_class
            and wanted_of_participants.feature = feat_coverage_classes.feature
    group by
        wanted_of_participants.participant_id, wanted_of_participants.feature, feat_coverage_classes.feature is not null
),

counted_sides as (
    select
        feature,
        is_covered
        {%- for name in characteristics %},
        count(*) filter (where {{ name }}_n > 0) as {{ name }}_participants
        {%- endfor %}
    from participant_sides
    group by feature, is_covered
),

side_participants as (
    {%- for name in characteristics %}
    select
        feature,
        is_covered,
        '{{ name }}' as characteristic,
        {{ name }}_participants as participants
    from counted_sides
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

moments as (
    select
        sides.feature,
        sides.characteristic,
        sides.is_covered,
        side_participants.participants,
        sides.plays,
        sides.total / sides.plays as mean,
        greatest(
            sides.squares / sides.plays - sides.total / sides.plays * sides.total / sides.plays, 0
        ) as variance
    from sides
    inner join side_participants
        on
            sides.feature = side_participants.feature
            and sides.characteristic = side_participants.characteristic
            and sides.is_covered = side_participants.is_covered
),

compared as (
    select
        covered.feature,
        covered.characteristic,
        covered.participants as covered_participants,
        uncovered.participants as uncovered_participants,
        cast(covered.plays as bigint) as covered_plays,
        cast(uncovered.plays as bigint) as uncovered_plays,
        round(covered.mean, 6) as covered_mean,
        round(uncovered.mean, 6) as uncovered_mean,
        case
            when covered.variance + uncovered.variance > 0.000000001
                then round((covered.mean - uncovered.mean) / sqrt((covered.variance + uncovered.variance) / 2), 4)
            when round(covered.mean, 6) = round(uncovered.mean, 6) then 0
        end as standardised_difference
    from moments as covered
    inner join moments as uncovered
        on
            covered.feature = uncovered.feature
            and covered.characteristic = uncovered.characteristic
    where covered.is_covered and not uncovered.is_covered
)

select * from compared
