-- Makes the database and its roles: api_owner migrates and backs up, api serves, and api reads text searches as api_lists.
-- A superuser runs it once with psql 15 or later, and with API_OWNER_PASSWORD and API_PASSWORD in the environment.
\set ON_ERROR_STOP on
\getenv owner_password API_OWNER_PASSWORD
\getenv password API_PASSWORD

CREATE ROLE api_owner LOGIN PASSWORD :'owner_password';

-- Without INHERIT it sees the rows of every tenant in text searches only.
CREATE ROLE api LOGIN NOINHERIT PASSWORD :'password';
CREATE ROLE api_lists;
GRANT api_lists TO api;

CREATE DATABASE api OWNER api_owner;
\connect api
-- Before Postgres 15, every role may create tables.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
