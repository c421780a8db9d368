case
    when reason is null or reason = '' then null
    when regexp_full_match(reason, '[a-z][a-z0-9-]{0,39}') then reason
    else 'other'
end
