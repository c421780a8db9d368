cast(md5_number_lower(secret || '|' || record) >> 1 as bigint)
