-- One row is one history source, one group of plays (all, those of a year of the history, of a country, of tracks about
-- as popular), one feature, one source of its values (or "none") and one way of matching (or "none"): how much music has
-- such a value.
with plays as {{ read_anew() }} (select * from {{ ref('plays') }}),

feat_track_coverage as (select * from {{ ref('feat_track_coverage') }}),

feat_coverage_classes as (select * from {{ ref('feat_coverage_classes') }}),

audio_features as (select * from {{ ref('audio_features') }}),

feat_source_permissions as (select * from {{ ref('feat_source_permissions') }}),

-- The calendar year is shifted with all other times; the year since the first play is not.
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
        {{ popularity_band('count(*)') }} as popularity_band
    from plays
    where content_type = 'track'
    group by track_id
),

-- Coverage and popularity are the track's, of which there are few. Plays are counted by track before anything is joined.
coverage as (
    select
        popularity.track_id,
        popularity.popularity_band,
        coalesce(feat_track_coverage.coverage_class, 0) as coverage_class
    from popularity
    left join feat_track_coverage on popularity.track_id = feat_track_coverage.track_id
),

tracks as (
    select
        history_source,
        track_id,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays
    from plays
    where content_type = 'track'
    group by history_source, track_id
),

tracks_of_years as (
    select
        plays.history_source,
        plays.track_id,
        {{ year_of_history('plays.started_at_local', 'begun.began_at_local') }} as year_of_history,
        count(*) as plays,
        count(*) filter (where plays.is_counted) as counted_plays
    from plays
    inner join begun on plays.participant_id = begun.participant_id
    where plays.content_type = 'track'
    group by
        plays.history_source, plays.track_id,
        {{ year_of_history('plays.started_at_local', 'begun.began_at_local') }}
),

tracks_of_countries as (
    select
        history_source,
        track_id,
        country,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays
    from plays
    where content_type = 'track'
    group by history_source, track_id, country
),

{%- set groupings = [
    ('all', 'tracks', "'all'"),
    ('year_of_history', 'tracks_of_years', 'cast(tracks_of_years.year_of_history as string)'),
    ('country', 'tracks_of_countries', "coalesce(tracks_of_countries.country, 'unknown')"),
    ('popularity', 'tracks', "coalesce(coverage.popularity_band, 'unknown')"),
] %}
class_totals as (
    {%- for grouped_by, counted, group_name in groupings %}
    select
        {{ counted }}.history_source,
        '{{ grouped_by }}' as grouped_by,
        {{ group_name }} as group_name,
        coalesce(coverage.coverage_class, 0) as coverage_class,
        count({{ counted }}.track_id) as tracks,
        sum({{ counted }}.plays) as plays,
        sum({{ counted }}.counted_plays) as counted_plays
    from {{ counted }}
    left join coverage on {{ counted }}.track_id = coverage.track_id
    group by
        {{ counted }}.history_source, coalesce(coverage.coverage_class, 0){{ ', ' ~ group_name if grouped_by != 'all' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

listeners as (
    select distinct
        plays.history_source,
        plays.participant_id,
        {{ year_of_history('plays.started_at_local', 'begun.began_at_local') }} as year_of_history,
        coalesce(plays.country, 'unknown') as country,
        coalesce(coverage.popularity_band, 'unknown') as popularity_band,
        coalesce(coverage.coverage_class, 0) as coverage_class
    from plays
    inner join begun on plays.participant_id = begun.participant_id
    left join coverage on plays.track_id = coverage.track_id
    where plays.content_type = 'track'
),

class_participants as (
    {%- for grouped_by, group_name in [
        ('all', "'all'"),
        ('year_of_history', 'cast(year_of_history as string)'),
        ('country', 'country'),
        ('popularity', 'popularity_band'),
    ] %}
    select distinct
        history_source,
        '{{ grouped_by }}' as grouped_by,
        {{ group_name }} as group_name,
        coverage_class,
        participant_id
    from listeners
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

classes as (
    select distinct coverage_class
    from class_totals
),

wanted as (
    select
        classes.coverage_class,
        audio_features.feature
    from classes
    cross join audio_features
),

class_features as (
    select
        wanted.coverage_class,
        wanted.feature,
        coalesce(feat_coverage_classes.source_id, 'none') as feature_source,
        coalesce(feat_coverage_classes.match_method, 'none') as match_method
    from wanted
    left join feat_coverage_classes
        on
            wanted.coverage_class = feat_coverage_classes.coverage_class
            and wanted.feature = feat_coverage_classes.feature
),

covered as (
    select
        class_totals.history_source,
        class_totals.grouped_by,
        class_totals.group_name,
        class_features.feature,
        class_features.feature_source,
        class_features.match_method,
        cast(sum(class_totals.tracks) as bigint) as tracks,
        cast(sum(class_totals.plays) as bigint) as plays,
        cast(sum(class_totals.counted_plays) as bigint) as counted_plays
    from class_totals
    inner join class_features on class_totals.coverage_class = class_features.coverage_class
    group by
        class_totals.history_source, class_totals.grouped_by, class_totals.group_name, class_features.feature,
        class_features.feature_source, class_features.match_method
),

covered_participants as (
    select
        class_participants.history_source,
        class_participants.grouped_by,
        class_participants.group_name,
        class_features.feature,
        class_features.feature_source,
        class_features.match_method,
        count(distinct class_participants.participant_id) as participants
    from class_participants
    inner join class_features on class_participants.coverage_class = class_features.coverage_class
    group by
        class_participants.history_source, class_participants.grouped_by, class_participants.group_name,
        class_features.feature, class_features.feature_source, class_features.match_method
),

joined as (
    select
        covered.history_source,
        covered.grouped_by,
        covered.group_name,
        covered.feature,
        covered.feature_source,
        covered.match_method,
        coalesce(feat_source_permissions.may_train_models, false) as may_train_models,
        covered_participants.participants,
        covered.tracks,
        covered.plays,
        covered.counted_plays,
        cast(covered.plays as double) / sum(covered.plays) over (
            partition by covered.history_source, covered.grouped_by, covered.group_name, covered.feature
        ) as share_of_plays
    from covered
    inner join covered_participants
        on
            covered.history_source = covered_participants.history_source
            and covered.grouped_by = covered_participants.grouped_by
            and covered.group_name = covered_participants.group_name
            and covered.feature = covered_participants.feature
            and covered.feature_source = covered_participants.feature_source
            and covered.match_method = covered_participants.match_method
    left join feat_source_permissions on covered.feature_source = feat_source_permissions.source_id
)

select * from joined
