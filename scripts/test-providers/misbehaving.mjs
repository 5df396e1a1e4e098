// A small OpenID Connect provider that does one thing wrong: its issuer is `/<what>/<anything unique>`. Whoever comes is signed
// in at once as `login_hint` says: the claims of the ID token, as JSON in base64url.
import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const known = pair();
const unknown = pair();
const pem = createPublicKey(known.privateKey).export({ type: 'spki', format: 'pem' });

const codes = new Map();
const counts = new Map();
const rotated = new Map();

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());
const now = () => Math.floor(Date.now() / 1000);

const json = (response, status, value) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

export async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const jwk = (key, kid) => ({ ...key.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' });

function signed(payload, header, key) {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key.privateKey).toString('base64url')}`;
}

function hmac(payload, secret) {
  const text = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'known' })}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export function idToken(what, issuer, client, account, nonce) {
  const right = { ...account, iss: issuer, aud: client, iat: now(), exp: now() + 300, nonce };
  const header = { alg: 'RS256', typ: 'JWT', kid: 'known' };
  const wrong = {
    'wrong-issuer': { iss: 'https://accounts.example' },
    'missing-nonce': { nonce: undefined },
    'wrong-nonce': { nonce: 'another' },
    'other-client': { aud: 'another-application' },
    'aud-list': { aud: [client, 'another-application'] },
    'wrong-azp': { azp: 'another-application' },
    expired: { iat: now() - 600, exp: now() - 300 },
    'future-iat': { iat: now() + 600, exp: now() + 900 },
    'no-address': { email: undefined, email_verified: undefined },
    'other-subject': { email: undefined, email_verified: undefined },
  }[what];
  const payload = { ...right, ...wrong };
  if (what === 'unknown-key') return signed(payload, { ...header, kid: 'unknown' }, unknown);
  if (what === 'wrong-key') return signed(payload, header, unknown);
  if (what === 'rotated') return signed(payload, { ...header, kid: 'unknown' }, unknown);
  if (what === 'public-key-as-secret') return hmac(payload, pem);
  if (what === 'client-secret-as-key') return hmac(payload, 'a secret of the tests');
  if (what === 'unsigned') return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(payload)}.`;
  return signed(payload, header, known);
}

export async function answer(request, response, url) {
  const [, what, unique, ...rest] = url.pathname.split('/');
  const issuer = `http://${request.headers.host}/${what}/${unique}`;
  const path = rest.join('/');
  const key = `${what}/${unique}`;
  counts.set(`${key}/${path}`, (counts.get(`${key}/${path}`) ?? 0) + 1);
  if (path === 'counts') {
    const own = [...counts].filter(([name]) => name.startsWith(`${key}/`));
    return json(response, 200, Object.fromEntries(own.map(([name, n]) => [name.slice(key.length + 1), n])));
  }
  if (path === '.well-known/openid-configuration') {
    return json(response, 200, {
      issuer: what === 'other-document' ? 'https://accounts.example' : issuer,
      authorization_endpoint: what === 'other-host' ? 'https://evil.example/authorize' : `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: what.startsWith('answers-'),
    });
  }
  if (path === 'jwks') {
    const isNew = what === 'rotated' && rotated.get(key);
    rotated.set(key, true);
    return json(response, 200, { keys: [jwk(known, 'known'), ...(isNew ? [jwk(unknown, 'unknown')] : [])] });
  }
  if (path === 'authorize') return authorize(response, url, what, issuer);
  if (path === 'token' || path === 'elsewhere') return token(request, response, what, issuer, path);
  if (path === 'userinfo') {
    const { account } = decode(request.headers.authorization.replace('Bearer ', ''));
    return json(response, 200, what === 'other-subject' ? { ...account, sub: 'somebody else' } : account);
  }
  if (path === 'tokeninfo') {
    const { account, aud, azp } = decode(url.searchParams.get('access_token'));
    if (!account) return json(response, 400, { error: 'invalid_token' });
    return json(response, 200, { aud, azp, sub: account.sub, email: account.email, email_verified: 'true' });
  }
  return json(response, 404, {});
}

function authorize(response, url, what, issuer) {
  const asked = Object.fromEntries(url.searchParams);
  const code = randomBytes(16).toString('hex');
  codes.set(code, { ...asked, issuer });
  const back = new URL(asked.redirect_uri);
  back.searchParams.set('state', asked.state);
  if (what === 'denied') back.searchParams.set('error', 'access_denied');
  else back.searchParams.set('code', code);
  if (what === 'answers-well') back.searchParams.set('iss', issuer);
  if (what === 'answers-as-another') back.searchParams.set('iss', 'https://accounts.example');
  response.writeHead(303, { location: back.href }).end();
}

async function token(request, response, what, issuer, path) {
  const form = new URLSearchParams(await body(request));
  if (what === 'slow') return;
  if (what === 'broken') return response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":');
  if (what === 'failing') return response.writeHead(502).end();
  // Whoever followed would get a good answer; so would whoever read to the end of the huge one.
  if (what === 'redirecting' && path === 'token') return response.writeHead(307, { location: `${issuer}/elsewhere` }).end();
  const asked = codes.get(form.get('code'));
  // A good provider takes a code once, from whom it was given to; one that does not must not make a difference to us.
  if (what !== 'careless') codes.delete(form.get('code'));
  if (!asked || asked.issuer !== issuer) return json(response, 400, { error: 'invalid_grant' });
  const { createHash } = await import('node:crypto');
  const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
  if (challenge !== asked.code_challenge || asked.code_challenge_method !== 'S256') {
    return json(response, 400, { error: 'invalid_grant' });
  }
  const account = decode(asked.login_hint);
  const id_token = idToken(what, issuer, asked.client_id, account, asked.nonce);
  const access_token = encode({ account, aud: asked.client_id });
  const answer = { access_token, token_type: 'Bearer', expires_in: 300 };
  if (what === 'huge') return huge(response, { ...answer, id_token });
  return json(response, 200, what === 'no-token' ? answer : { ...answer, id_token });
}

// A good answer behind 100 MiB of nothing.
function huge(response, answer) {
  response.writeHead(200, { 'content-type': 'application/json' });
  const block = Buffer.alloc(1024 * 1024, ' ');
  let left = 100;
  const more = () => {
    while (left-- > 0) if (!response.write(block)) return response.once('drain', more);
    response.end(JSON.stringify(answer));
  };
  more();
}
