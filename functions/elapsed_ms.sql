utc_ms - origin_ms
