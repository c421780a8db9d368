-- What a client begins with: plays means marts.plays. Nothing is fetched, and nothing is written to the disk in between.
set search_path = 'marts,audit,reference';
set temp_directory = '';
set autoinstall_known_extensions = false;
set TimeZone = 'UTC';
