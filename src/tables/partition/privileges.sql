-- Takes back what default privileges have granted on the table $1 to others than its owner.
SELECT format('REVOKE ALL ON TABLE %I.%I FROM %s', n.nspname, c.relname,
    CASE privilege.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(privilege.grantee)) END)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace,
aclexplode(c.relacl) AS privilege
WHERE c.oid = $1 AND privilege.grantee <> c.relowner
GROUP BY n.nspname, c.relname, privilege.grantee
