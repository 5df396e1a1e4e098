-- Environments of an organization: counted for administrators, and forgotten with the organization's key.
create index environments_organization on environments (organization_id);
