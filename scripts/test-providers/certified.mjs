// The certified provider, with one change to its habits: whoever comes is signed in at once as `login_hint` says.
import Provider from 'oidc-provider';

const claims = (hint) => JSON.parse(Buffer.from(hint, 'base64url').toString());

export function certified(issuer) {
  const client = (client_id) => ({
    client_id,
    client_secret: 'a secret of the tests',
    redirect_uris: ['google', 'certified'].map(
      (name) => `http://localhost:8000/api/auth/oauth/${name}/callback/`,
    ),
  });
  const provider = new Provider(issuer, {
    clients: [client('keynest-test')],
    // As Google does it: addresses are in the ID token.
    conformIdTokenClaims: false,
    claims: { email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name', 'picture'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    cookies: { keys: ['of the tests'] },
    interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({ ...claims(accountId), sub: claims(accountId).sub }),
    }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  const handle = provider.callback();
  return async (request, response) => {
    if (!request.url.startsWith('/sign-in/')) return handle(request, response);
    const { params } = await provider.interactionDetails(request, response);
    const login = { accountId: params.login_hint };
    await provider.interactionFinished(request, response, { login });
  };
}
