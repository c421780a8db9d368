case
    when regexp_full_match(content_uri, 'spotify:(track|episode|chapter|audiobook|show):[0-9A-Za-z]{22}')
        then cast(md5_number_lower('uri|' || content_uri) >> 1 as bigint)
end
