-- One row: figures of two draws of the secrets of the same people, `one_keys` and `other_keys`. Digests of what else is
-- known of a participant are those that somebody would try: of each value, in hex.
with known as (
    select
        participant_code,
        unnest([
            participant_code, cast(participant_no as varchar), pseudonym, play_secret, cast(shift_weeks as varchar)
        ]) as text,
        unnest(['code', 'number', 'pseudonym', 'play_secret', 'shift']) as what
    from one_keys
),

digests as (
    select
        participant_code,
        what,
        unnest([md5(text), sha1(text), sha256(text)]) as digest
    from known
),

sizes as (
    select unnest([260, 520, 521]) as size
),

computable_shifts as (
    select
        digests.what,
        length(digests.digest) as digest_length,
        sizes.size,
        count(*) filter (
            where abs(keys.shift_weeks) = 1 + ('0x' || left(digests.digest, 8))::bigint % sizes.size
        ) as agreeing
    from digests
    cross join sizes
    inner join one_keys as keys on digests.participant_code = keys.participant_code
    where digests.what <> 'shift'
    group by all
),

bins as (
    select
        number as bin,
        (
            select count(*)
            from one_keys
            where floor((shift_weeks + $most - case when shift_weeks > 0 then 1 else 0 end) * $bins / (2 * $most)) = number
        ) as people
    from range($bins) as numbers (number)
),

-- What is drawn has no order of its own: that of codes, in which people are enrolled, is the order of none.
places as (
    select
        row_number() over (order by participant_code) as code,
        {%- for column in columns %}
        row_number() over (order by {{ column }}, pseudonym) as {{ column }}{{ '' if loop.last else ',' }}
        {%- endfor %}
    from one_keys
),

ordered as (
    select
        {%- for column in columns %}
        -- With the codes, and with what was drawn for the code before.
        greatest(abs(corr(code, {{ column }})), abs(corr({{ column }}, last_{{ column }}))) as order_of_{{ column }}{{ '' if loop.last else ',' }}
        {%- endfor %}
    from (
        select
            *,
            {%- for column in columns %}
            lag({{ column }}) over (order by code) as last_{{ column }}{{ '' if loop.last else ',' }}
            {%- endfor %}
        from places
    )
)

select
    ordered.*,
    (select count(*) from one_keys inner join other_keys using (pseudonym)) as shared_pseudonym,
    (select count(*) from one_keys inner join other_keys using (play_secret)) as shared_play_secret,
    (select count(*) from one_secrets inner join other_secrets using (secret)) as shared_token_key,
    (
        select count(*)
        from digests
        inner join one_keys as keys on digests.participant_code = keys.participant_code
        where digests.what <> 'play_secret' and contains(digests.digest, left(keys.play_secret, 12))
    ) as computable_play_secret,
    (
        select count(*)
        from digests
        inner join one_keys as keys on digests.participant_code = keys.participant_code
        where digests.what <> 'pseudonym' and contains(digests.digest, right(keys.pseudonym, 8))
    ) as computable_pseudonym,
    (
        select count(*)
        from one_keys
        inner join other_keys on one_keys.participant_code = other_keys.participant_code and one_keys.participant_no = other_keys.participant_no
    ) as agreeing_numbers,
    (
        select count(*)
        from one_keys
        inner join other_keys on one_keys.participant_code = other_keys.participant_code and one_keys.shift_weeks = other_keys.shift_weeks
    ) as agreeing_shifts,
    (select max(agreeing) from computable_shifts) as computable_shifts,
    (select count(*) from one_keys where shift_weeks = 0 or abs(shift_weeks) > $most) as unshifted,
    (select list(people order by bin) from bins) as bins
from ordered
