-- In milliseconds since 1970.
SELECT (extract(epoch FROM clock::timestamptz) * 1000)::bigint::text FROM boundary
