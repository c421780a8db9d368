cast(
    md5_number_lower(
        case
            when starts_with(content_uri, 'spotify:local:') then 'local|' || secret || '|' || content_uri
            when content_uri is not null then 'uri|' || content_uri
            when coalesce(title, creator) is null then null
            when is_private then 'private|' || secret || '|' || coalesce(title, '') || chr(31) || coalesce(creator, '')
            else 'names|' || coalesce(title, '') || chr(31) || coalesce(creator, '')
        end
    ) >> 1 as bigint
)
