-- The questionnaires of the people as two programs export them. Both know more of people than a study may land:
-- $network are the addresses of the people's machines.

-- One row is one prompt, as m-Path exports it: moments are seconds since 1970 on the clock of the participant's telephone.
create or replace table mpath as
with local_moments as (
    select
        moods.*,
        people.code,
        people.username,
        epoch_ms(local_time(moods.prompted_ms, people.zone)) // 1000 - moods.prompted_ms // 1000 as offset_s
    from moods
    inner join people on people.person_no = moods.person_no
)

select
    100000 + person_no as "connectionId",
    '!' || left(md5(username), 4) || '@' || right(md5(username), 5) as "legacyCode",
    '!' || left(md5(username), 4) || ' ' || right(md5(username), 4) as "code",
    code as "alias",
    upper(left(username, 3)) as "initials",
    right(md5(username), 5) as "accountCode",
    28000000 + person_no * 1000 + prompt_no as "scheduledBeepId",
    19000000 + person_no * 1000 + prompt_no as "sentBeepId",
    0 as "reminderForOriginalSentBeepId",
    'mood' as "questionListName",
    cast(null as varchar) as "questionListLabel",
    'music_and_mood' as "fromProtocolName",
    prompted_ms // 1000 + offset_s as "timeStampScheduled",
    prompted_ms // 1000 + offset_s as "timeStampSent",
    case when status in ('answered', 'unfinished') then opened_ms // 1000 + offset_s end as "timeStampStart",
    case when status = 'answered' then answered_ms // 1000 + offset_s end as "timeStampStop",
    0 as "originalTimeStampSent",
    offset_s as "timeZoneOffset",
    0 as "deltaUTC",
    case when status = 'answered' then cast(greatest(0, least(100, round(50 + 50 * valence))) as integer) end as "feeling_valence_sliderNegPos",
    case when status = 'answered' then cast(greatest(0, least(100, round(50 + 50 * arousal))) as integer) end as "feeling_arousal_sliderNegPos",
    case when status = 'answered' then 1 + prompt_no % 3 end as "place_multipleChoice_index",
    case when status = 'answered' then '"' || ['Home', 'Work', 'On the way'][1 + prompt_no % 3] || '"' end as "place_multipleChoice_string",
    -- What somebody writes may name them.
    case when status = 'answered' and prompt_no % 10 = 0 then '"' || username || ' has heard enough of it"' end as "comment_open"
from local_moments
order by person_no, prompt_no;

-- One row is one line of an export of Qualtrics: three lines of headers, then one for each weekly questionnaire. Moments are in
-- the time zone of the survey.
create or replace table panas_questions as
select
    unnest(['interested', 'distressed', 'excited', 'upset', 'strong', 'guilty', 'scared', 'hostile', 'enthusiastic', 'proud',
            'irritable', 'alert', 'ashamed', 'inspired', 'nervous', 'determined', 'attentive', 'jittery', 'active', 'afraid']) as item,
    unnest(range(1, 21)) as number;

create or replace table weekly_forms as
select
    weeks.person_no,
    weeks.week_no,
    people.code,
    people.username,
    strftime(local_time(weeks.answered_ms - 150000, '$zone'), '%Y-%m-%d %H:%M:%S') as begun,
    strftime(local_time(weeks.answered_ms, '$zone'), '%Y-%m-%d %H:%M:%S') as ended,
    list(cast(panas_answers.answer as varchar) order by panas_questions.number) as answers
from weeks
inner join people on people.person_no = weeks.person_no
cross join panas_questions
left join panas_answers
    on
        panas_answers.person_no = weeks.person_no
        and panas_answers.week_no = weeks.week_no
        and panas_answers.item = panas_questions.item
group by all;

create or replace table qualtrics as
with forms as (
    select
        row_number() over (order by person_no, week_no) as line,
        [
            begun, ended, '0', '$network' || person_no % 254, '100', '150', '1', ended, 'R_' || left(md5(username || week_no), 15),
            'Listener', username, username || '@example.org', code, '52.5', '13.4', 'email', 'EN'
        ] as about,
        answers
    from weekly_forms
),

headers as (
    select
        -2 as line,
        ['StartDate', 'EndDate', 'Status', 'IPAddress', 'Progress', 'Duration (in seconds)', 'Finished', 'RecordedDate', 'ResponseId',
         'RecipientLastName', 'RecipientFirstName', 'RecipientEmail', 'ExternalReference', 'LocationLatitude', 'LocationLongitude',
         'DistributionChannel', 'UserLanguage'] as about,
        list('Q1_' || number order by number) as answers
    from panas_questions
    union all
    select
        -1,
        ['Start Date', 'End Date', 'Response Type', 'IP Address', 'Progress', 'Duration (in seconds)', 'Finished', 'Recorded Date',
         'Response ID', 'Recipient Last Name', 'Recipient First Name', 'Recipient Email', 'External Data Reference', 'Location Latitude',
         'Location Longitude', 'Distribution Channel', 'User Language'],
        list('To what extent have you felt this way during the past week? - ' || upper(left(item, 1)) || substring(item, 2) order by number)
    from panas_questions
    union all
    select
        0,
        list_transform(
            ['startDate', 'endDate', 'status', 'ipAddress', 'progress', 'duration', 'finished', 'recordedDate', '_recordId', 'recipientLastName',
             'recipientFirstName', 'recipientEmail', 'externalDataReference', 'locationLatitude', 'locationLongitude', 'distributionChannel', 'userLanguage'],
            lambda name : case
                when name in ('startDate', 'endDate', 'recordedDate') then '{"ImportId":"' || name || '","timeZone":"$zone"}'
                else '{"ImportId":"' || name || '"}'
            end
        ),
        list('{"ImportId":"QID1_' || number || '"}' order by number)
    from panas_questions
)

select line, about || answers as cells
from (from headers union all from forms)
order by line;
