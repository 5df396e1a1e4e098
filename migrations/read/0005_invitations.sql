-- Who was asked to join. The address is null once its key is destroyed.
create table invitations (
    id uuid primary key,
    organization_id bigint not null,
    address text,
    role text not null check (role in ('admin', 'editor', 'viewer')),
    inviter_id bigint not null,
    status text not null check (status in ('pending', 'accepted', 'revoked', 'expired')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    answered_at timestamptz
);
create index invitations_pending on invitations (organization_id, created_at, id) where status = 'pending';
create index invitations_due on invitations (expires_at, id) where status = 'pending';
