-- From now on a lease file that is missing is lost. Nothing of this is left in the extension.

CREATE FUNCTION snowflake_install() RETURNS void
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'snowflake_install_wrapper';
SELECT snowflake_install();
DROP FUNCTION snowflake_install();
