-- What Parley's user may do: connect to one database, and everything in one schema of it. Run once, by
-- a superuser, in the database that Parley will use; compose.scale.yml does it at the first start.
\set password `cat /run/secrets/parley`
CREATE ROLE parley LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT PASSWORD :'password';
REVOKE ALL ON DATABASE :DBNAME FROM PUBLIC;
GRANT CONNECT ON DATABASE :DBNAME TO parley;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA parley AUTHORIZATION parley;
ALTER ROLE parley SET search_path = parley;
-- Nobody comes in as the superuser but over the socket, from inside the container.
ALTER ROLE CURRENT_USER PASSWORD NULL;
