// Like GitHub: `/gh/<what>/<anything unique>` is both its site and its API. Whoever comes is signed in at once as `login_hint`
// says: { id, login, name, avatar_url, emails: [{ email, primary, verified }] }, as JSON in base64url.
import { randomBytes } from 'node:crypto';
import { body } from './misbehaving.mjs';

const codes = new Map();
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());
const json = (response, status, value) =>
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));

export async function answerLikeGitHub(request, response, url) {
  const [, , what, , ...rest] = url.pathname.split('/');
  const path = rest.join('/');
  if (path === 'login/oauth/authorize') {
    const asked = Object.fromEntries(url.searchParams);
    const code = randomBytes(10).toString('hex');
    codes.set(code, asked);
    const back = new URL(asked.redirect_uri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.state);
    return response.writeHead(302, { location: back.href }).end();
  }
  if (path === 'login/oauth/access_token') {
    const form = new URLSearchParams(await body(request));
    const asked = codes.get(form.get('code'));
    codes.delete(form.get('code'));
    const isRight = asked && form.get('client_secret') === 'a secret of the tests' && form.get('code_verifier');
    const told = isRight && what !== 'refusing'
      ? { access_token: encode({ user: decode(asked.login_hint), app: asked.client_id }), scope: 'user:email', token_type: 'bearer' }
      : { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' };
    // Errors have status 200; and GitHub answers with a form to whoever does not ask for JSON.
    if (what === 'forms' || !(request.headers.accept ?? '').includes('json')) {
      response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' });
      return response.end(new URLSearchParams(told).toString());
    }
    return json(response, 200, told);
  }
  if (path.startsWith('applications/')) {
    const right = `Basic ${Buffer.from(`${rest[1]}:a secret of the tests`).toString('base64')}`;
    if (request.headers.authorization !== right) return json(response, 401, { message: 'Bad credentials' });
    const { user, app } = decode(JSON.parse(await body(request)).access_token);
    // It knows the tokens of other applications no better than those of nobody.
    if (app !== rest[1] && what !== 'confused') return json(response, 404, { message: 'Not Found' });
    return json(response, 200, { app: { client_id: app }, user: { id: user.id, login: user.login } });
  }
  const { user } = decode((request.headers.authorization ?? '').replace('Bearer ', '') || encode({}));
  if (!user) return json(response, 401, { message: 'Requires authentication' });
  if (path === 'user/emails') return json(response, 200, user.emails);
  if (path === 'user') return json(response, 200, { ...user, emails: undefined, email: null });
  return json(response, 404, { message: 'Not Found' });
}
