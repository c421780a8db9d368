{# Names of tracks as keys: what is spelled differently and is the same recording gets the same keys; what sounds
   different does not. Definition: docs/matching.md. The macros call nothing of dbt's but adapter.dispatch:
   loaders/track_names.py renders them for 'consonance catalog' too. #}

{# Words that say nothing about how a recording sounds, as a regular expression on folded text. Each stands for a label
   by itself; a label holds one of them at least, and otherwise only what may stand beside them. #}
{% macro label_words() -%}
re-?master(?:ed|izado|isiert|ise|is)?|re-?issue|edition|deluxe|expanded|mono|stereo|album|single|radio|edit(?:ed)?|main|explicit|clean|original|bonus|anniversary|ost|soundtrack|official|oficial|oficiel|officiel|offizielles|video|video ?clip|clip|lyrics?|letra|audio|hd|hq|stream
{%- endmacro %}

{% macro words_beside() -%}
version|versione|mix|track|music|digital(?:ly)?|box|set|with|in|and|the|special|limited|collectors|super|recording|re|non|mastered|[0-9]{1,4}(?:st|nd|rd|th|")?
{%- endmacro %}

{# What stands in a pair of brackets and may be left out: labels, guests, where a song is from, a number, nothing. #}
{% macro label_pattern() -%}
    {%- set inner = '[^()\\[\\]^]*' -%}
    {%- set label = '(?:' ~ label_words() ~ ')' -%}
    {%- set beside = '(?:' ~ label_words() ~ '|' ~ words_beside() ~ ')' -%}
    {%- set gap = '[ /,+:_.-]+' -%}
    (?:(?:{{ beside }}{{ gap }})*{{ label }}(?:{{ gap }}{{ beside }})*
    {%- for phrase in [
        '(?:feat|ft|featuring|with|w/|con|avec|mit|prod)[. ]' ~ inner,
        '(?:music |theme |song )?(?:from|out of|aus) ' ~ inner,
        '(?:lyrical )?(?:parody|adapt?ion|adaptation) of ' ~ inner,
        inner ~ ' album (?:track|version)',
        '[0-9]*',
    ] -%}
        |{{ phrase }}
    {%- endfor -%}
    )
{%- endmacro %}

{# Words of versions that sound different: what holds one of them is no label, whatever stands beside it. #}
{% macro version_words() -%}
live|acoustic|unplugged|demo|remix|instrumental|karaoke|a ?capp?ella|slowed|sped up|nightcore|reprise|orchestral|re-?recorded
{%- endmacro %}

{# One row is one row of `relation`: its columns `kept` (one at least), and the keys of its names:
   artist_keys (every artist it names, and the whole credit, in order of key), first_artist_key, title_key, exact_title_key (with every label),
   album_key. #}
{% macro with_name_keys(relation, kept, artist, title, album) -%}
    select
        {{ kept }},
        {{ distinct_sorted(joined_arrays('credited_keys', array_of(['whole_credit_key']))) }} as artist_keys,
        {{ first_of('credited_keys') }} as first_artist_key,
        coalesce(nullif({{ letters_and_digits(spelled_alike('bare_title')) }}, ''), {{ letters_or_all('folded_title') }}) as title_key,
        {{ letters_or_all(spelled_alike('folded_title')) }} as exact_title_key,
        coalesce(nullif({{ letters_and_digits(spelled_alike('bare_album')) }}, ''), {{ letters_or_all('folded_album') }}) as album_key
    from (
        select
            {{ kept }},
            folded_title,
            folded_album,
            {{ artist_keys_of('artists') }} as credited_keys,
            {{ whole_credit_key('artists') }} as whole_credit_key,
            {{ without_labels('folded_title') }} as bare_title,
            {{ without_labels('folded_album') }} as bare_album
        from (
            select
                {{ kept }},
                {{ replaced(replaced(replaced("replace(" ~ folded_text(artist) ~ ", '$', 's')", '([a-z])!([a-z])', '\\1i\\2'), "\\s*[(\\[]?\\s*\\b(?:feat|ft|featuring)[. ]", ' , '), '[)\\]]', '') }} as artists,
                {{ folded_text(title) }} as folded_title,
                {{ folded_text(album) }} as folded_album
            from {{ relation }}
        ) as folded
    ) as bare
{%- endmacro %}

{# A folded text without its labels. ' - Label' counts as '(Label)', '(Live / Remastered)' as '(Live) (Remastered)', and what
   stands after ' | ' as '(from ...)'. In brackets that hold a word of a version, a '^' keeps the pattern of labels from
   fitting. #}
{% macro without_labels(text) -%}
    {%- set word = '-*[^\\s()\\[\\]-][^\\s()\\[\\]]*' -%}
    {%- set ns = namespace(sql=replaced(text, ' \\| (.*)$', ' (from \\1)')) -%}
    {%- set ns.sql = replaced(ns.sql, '\\s+-+\\s+(' ~ word ~ '(?:\\s+' ~ word ~ ')*)', ' (\\1)') -%}
    {%- set ns.sql = replaced(ns.sql, '([(\\[][^()\\[\\]]*?)\\s/\\s', '\\1) (') -%}
    {%- set ns.sql = replaced(ns.sql, '([(\\[])([^()\\[\\]]*\\b(?:' ~ version_words() ~ ')\\b)', '\\1^\\2') -%}
    {%- for _ in range(2) -%}
        {%- set ns.sql = replaced(ns.sql, '[(\\[]\\s*' ~ label_pattern() ~ '\\s*[)\\]]', ' ') -%}
    {%- endfor -%}
    {%- set ns.sql = replaced(ns.sql, '(\\S)\\s+(?:feat|ft|featuring)[. ][^(\\[]*', '\\1 ') -%}
    {%- set ns.sql = replaced(ns.sql, '\\.(?:avi|wmv|mpe?g|flv|mp[34]|mov)$', '') -%}
    {%- set ns.sql = replaced(
        ns.sql,
        '(\\S)\\s+(?:hd|hq|(?:official |offizielles |lyric |music )?video ?(?:clip)?(?: officiel| oficiel| oficial| official)?|clip)\\s*$',
        '\\1'
    ) -%}
    {#- Most names have none of this, and are spared the search for it. -#}
    case when {{ found_in(text, '[(\\[|]|\\s-+\\s|\\b(?:feat|ft|featuring)[. ]|(?:h[dq]|clip|video|offici?el|oficial|official)\\s*$|\\.[a-z0-9]{3,4}$') }} then {{ ns.sql }} else {{ text }} end
{%- endmacro %}

{# A folded text with one spelling of 'and', 'part' and 'volume', and of the numbers up to ten. #}
{% macro spelled_alike(text) -%}
    {%- set ns = namespace(sql=text) -%}
    {%- for number in ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'] -%}
        {%- set ns.sql = replaced(ns.sql, '\\b' ~ number ~ '\\b', loop.index) -%}
    {%- endfor -%}
    {%- for spelling, plain in [
        ("(^|\\s)(?:&|\\+|''?n''?)(\\s|$)", '\\1and\\2'),
        ('\\b(?:pt|part)s?[. ]+([0-9ivx]+)\\b', 'part \\1'),
        ('\\bvol\\.? ?([0-9ivx]+)\\b', 'volume \\1'),
        ('(\\s)ii($|\\W)', '\\1 2\\2'), ('(\\s)iii($|\\W)', '\\1 3\\2'), ('(\\s)iv($|\\W)', '\\1 4\\2'),
    ] -%}
        {%- set ns.sql = replaced(ns.sql, spelling, plain) -%}
    {%- endfor -%}
    case when {{ found_in(text, "&|\\+|\\bn\\b|\\b(?:pt|part|vol|one|two|three|four|five|six|seven|eight|nine|ten)|\\si[iv]") }} then {{ ns.sql }} else {{ text }} end
{%- endmacro %}

{# The artists of a folded credit whose guests stand after a comma, one key each, 'The' left out. #}
{% macro artist_keys_of(artists) -%}
    {{- each_key(artists, between_artists()) -}}
{%- endmacro %}

{# The artists of such a credit as one: 'Tyler, The Creator' may be written without the comma. #}
{% macro whole_credit_key(artists) -%}
    {{- without_the(letters_or_all(replaced(artists, between_artists(), ' '))) -}}
{%- endmacro %}

{% macro between_artists() -%}
    \s*(?:,|;|/| & | and | \+ | ''?n''? | x | × | vs\.? | with | y | et | und | e | con )\s*
{%- endmacro %}

{% macro without_the(key) -%}
    {{- replaced(key, '^the(.{2,})', '\\1') -}}
{%- endmacro %}

{# Letters and digits alone. Of what has none, such as '???', all of it. #}
{% macro letters_or_all(text) -%}
    coalesce(nullif({{ letters_and_digits(text) }}, ''), trim({{ text }}))
{%- endmacro %}

{% macro letters_and_digits(text) -%}
    {{- replaced(text, '[^\\p{L}\\p{N}\\p{M}]+', '') -}}
{%- endmacro %}

{# One spelling: small letters, one width, no accents, plain quotes and dashes, no invisible characters, no HTML. #}
{% macro folded_text(text) -%}
    {%- set ns = namespace(sql=composed(text)) -%}
    {%- for spelling, plain in [
        ('&amp;', '&'), ('&#039;', "''"), ('&#39;', "''"), ('&#x60;', "''"), ('&quot;', '"'),
        ('ß', 'ss'), ('æ', 'ae'), ('Æ', 'ae'), ('œ', 'oe'), ('þ', 'th'), ('…', '...'),
        ('ﬀ', 'ff'), ('ﬁ', 'fi'), ('ﬂ', 'fl'), ('ﬃ', 'ffi'), ('ﬄ', 'ffl'),
    ] -%}
        {%- set ns.sql = "replace(" ~ ns.sql ~ ", '" ~ spelling ~ "', '" ~ plain ~ "')" -%}
    {%- endfor -%}
    {#- Plain names need none of this. -#}
    case when {{ found_in(text, '^[ !#-%(-;=?-~]*$') }} then lower({{ text }}) else {{ in_latin(without_accents(replaced(
        in_one_width(ns.sql),
        '[\\x{200B}-\\x{200F}\\x{2060}\\x{FEFF}\\x{00AD}]', ''
    ))) }} end
{%- endmacro %}

{# The usual signs one by one: the table of the others is made anew for each text, and few texts need it. #}
{% macro in_one_width(text) -%}
    {%- set table = "translate(folded_text, "
        ~ "'ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ０１２３４５６７８９（）［］【】＆！？：；，．～　‘‚‛′`´“”„″‑‒–—―−øØłŁđĐıʼｦｧｨｩｪｫｬｭｮｯｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ｢｣､｡･', "
        ~ "'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()[][]&!?:;,.~ ''''''''''''\"\"\"\"------oOlLdDi''ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゙゚「」、。・')" -%}
    {{- let_be('folded_text', "replace(replace(" ~ text ~ ", '’', ''''), '‐', '-')", "case when " ~ found_in('folded_text', '[`´øØłŁđĐıʼ\\x{2010}-\\x{2033}\\x{2212}\\x{3000}\\x{3010}\\x{3011}\\x{FF00}-\\x{FFEF}]') ~ " then " ~ table ~ " else folded_text end") -}}
{%- endmacro %}

{# Small Cyrillic and Greek letters in Latin ones, much as libraries and passports write them. #}
{% macro in_latin(text) -%}
    {%- set ns = namespace(sql='folded_text') -%}
    {%- for letter, latin in [
        ('щ', 'shch'), ('ж', 'zh'), ('х', 'kh'), ('ц', 'ts'), ('ч', 'ch'), ('ш', 'sh'), ('ю', 'yu'), ('я', 'ya'), ('є', 'ye'),
        ('ου', 'ou'), ('θ', 'th'), ('χ', 'ch'), ('ψ', 'ps'),
    ] -%}
        {%- set ns.sql = "replace(" ~ ns.sql ~ ", '" ~ letter ~ "', '" ~ latin ~ "')" -%}
    {%- endfor -%}
    {%- set ns.sql = "translate(" ~ ns.sql ~ ", "
        ~ "'абвгдезиклмнопрстуфыэіґαβγδεζηικλμνξοπρσςτυφωъь', 'abvgdeziklmnoprstufyeigavgdeziiklmnxoprsstyfo')" -%}
    {{- let_be('folded_text', text, "case when " ~ found_in('folded_text', '[\\x{0370}-\\x{04FF}]') ~ " then " ~ ns.sql ~ " else folded_text end") -}}
{%- endmacro %}

{# What engines spell differently. #}

{% macro replaced(text, pattern, by) -%}
    {{- adapter.dispatch('replaced', 'consonance')(text, pattern, by) -}}
{%- endmacro %}

{% macro duckdb__replaced(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ by }}', 'g')
{%- endmacro %}

{% macro spark__replaced(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ spark_pattern(pattern) }}', '{{ by | string | replace('\\', '$') }}')
{%- endmacro %}

{% macro found_in(text, pattern) -%}
    {{- adapter.dispatch('found_in', 'consonance')(text, pattern) -}}
{%- endmacro %}

{% macro duckdb__found_in(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__found_in(text, pattern) -%}
    ({{ text }} rlike '{{ spark_pattern(pattern) }}')
{%- endmacro %}

{% macro begins_with(text, beginning) -%}
    {{- adapter.dispatch('begins_with', 'consonance')(text, beginning) -}}
{%- endmacro %}

{% macro duckdb__begins_with(text, beginning) -%}
    starts_with({{ text }}, {{ beginning }})
{%- endmacro %}

{% macro spark__begins_with(text, beginning) -%}
    startswith({{ text }}, {{ beginning }})
{%- endmacro %}

{% macro composed(text) -%}
    {{- adapter.dispatch('composed', 'consonance')(text) -}}
{%- endmacro %}

{% macro duckdb__composed(text) -%}
    nfc_normalize({{ text }})
{%- endmacro %}

{# ICU is a part of Spark. #}
{% macro spark__composed(text) -%}
    case when {{ text }} is not null then reflect('com.ibm.icu.text.Normalizer', 'compose', {{ text }}, false) end
{%- endmacro %}

{# Small letters without accents. In Indic and Thai scripts and in kana the marks are letters of their own, and stay. #}
{% macro without_accents(text) -%}
    {{- adapter.dispatch('without_accents', 'consonance')(text) -}}
{%- endmacro %}

{% macro duckdb__without_accents(text) -%}
    {{- let_be('plain', text, "lower(case when regexp_matches(plain, '[\\x{0900}-\\x{109F}\\x{1780}-\\x{17FF}\\x{3040}-\\x{30FF}]') then plain else strip_accents(plain) end)") -}}
{%- endmacro %}

{% macro spark__without_accents(text) -%}
    {%- set decomposed = "reflect('com.ibm.icu.text.Normalizer', 'decompose', plain, false)" -%}
    {%- set stripped = "reflect('com.ibm.icu.text.Normalizer', 'compose', " ~ replaced(decomposed, '\\p{M}+', '') ~ ", false)" -%}
    {{- let_be('plain', text, "lower(case when plain is null or " ~ found_in('plain', '[\\x{0900}-\\x{109F}\\x{1780}-\\x{17FF}\\x{3040}-\\x{30FF}]') ~ " then plain else " ~ stripped ~ " end)") -}}
{%- endmacro %}

{# An expression in which `name` stands for the value of another one, which is made once. #}
{% macro let_be(name, value, expression) -%}
    {{- adapter.dispatch('let_be', 'consonance')(name, value, expression) -}}
{%- endmacro %}

{% macro duckdb__let_be(name, value, expression) -%}
    list_transform([{{ value }}], lambda {{ name }}: {{ expression }})[1]
{%- endmacro %}

{% macro spark__let_be(name, value, expression) -%}
    transform(array({{ value }}), {{ name }} -> {{ expression }})[0]
{%- endmacro %}

{% macro each_key(text, separators) -%}
    {{- adapter.dispatch('each_key', 'consonance')(text, separators) -}}
{%- endmacro %}

{% macro duckdb__each_key(text, separators) -%}
    case when {{ found_in(text, separators) }} then list_transform(
        string_split_regex({{ text }}, '{{ separators }}'),
        lambda one: {{ without_the(letters_or_all('one')) }}
    ) else [{{ without_the(letters_or_all(text)) }}] end
{%- endmacro %}

{% macro spark__each_key(text, separators) -%}
    case when {{ found_in(text, separators) }} then transform(
        split({{ text }}, '{{ spark_pattern(separators) }}'),
        one -> {{ without_the(letters_or_all('one')) }}
    ) else array({{ without_the(letters_or_all(text)) }}) end
{%- endmacro %}

{% macro distinct_sorted(list) -%}
    {{- adapter.dispatch('distinct_sorted', 'consonance')(list) -}}
{%- endmacro %}

{% macro duckdb__distinct_sorted(list) -%}
    list_sort(list_distinct({{ list }}))
{%- endmacro %}

{% macro spark__distinct_sorted(list) -%}
    array_sort(array_distinct({{ list }}))
{%- endmacro %}

{# A pattern of RE2, as DuckDB reads it, for Java: there $ and \b mean more, and . less. In a text of Spark's SQL a backslash
   is written twice. #}
{% macro spark_pattern(pattern) -%}
    (?d){{ pattern | replace('$', '\\z') | replace('\\b', ascii_boundary()) | replace('\\', '\\\\') }}
{%- endmacro %}

{% macro ascii_boundary() -%}
    (?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))
{%- endmacro %}
