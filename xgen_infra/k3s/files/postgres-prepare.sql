-- The role and the database of the services. CREATEDB lets a restore build the new database beside the old one.
\getenv role POSTGRES_USER
\getenv database POSTGRES_DB
\getenv password POSTGRES_PASSWORD
SELECT format('CREATE ROLE %I', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
SELECT set_config('password_encryption', 'scram-sha-256', false) \g /dev/null
ALTER ROLE :"role" LOGIN CREATEDB PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'database', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
