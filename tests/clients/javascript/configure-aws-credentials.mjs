// What `aws-actions/configure-aws-credentials` does for a job with
// `id-token: write`: a token of GitHub, a session of the role, whose it is.

import * as core from '@actions/core';
import {
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';

const USER_AGENT = 'configure-aws-credentials-for-github-actions';

async function assume(region) {
  const token = await core.getIDToken('sts.amazonaws.com');
  const client = new STSClient({ region, customUserAgent: USER_AGENT });
  return client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: core.getInput('role-to-assume'),
      RoleSessionName: 'GitHubActions',
      DurationSeconds: 3600,
      WebIdentityToken: token,
    }),
  );
}

try {
  const region = core.getInput('aws-region', { required: true });
  core.exportVariable('AWS_DEFAULT_REGION', region);
  core.exportVariable('AWS_REGION', region);
  const answer = await assume(region).catch((error) => {
    throw new Error(`Could not assume role with OIDC: ${error.message}`);
  });
  const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials;
  for (const [name, value] of [
    ['AWS_ACCESS_KEY_ID', AccessKeyId],
    ['AWS_SECRET_ACCESS_KEY', SecretAccessKey],
    ['AWS_SESSION_TOKEN', SessionToken],
  ]) {
    core.setSecret(value);
    core.exportVariable(name, value);
  }
  const credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  };
  const client = new STSClient({ region, credentials, customUserAgent: USER_AGENT });
  const identity = await client.send(new GetCallerIdentityCommand({}));
  if (identity.Arn !== answer.AssumedRoleUser.Arn) {
    throw new Error(`the session is ${identity.Arn}, not ${answer.AssumedRoleUser.Arn}`);
  }
  core.info(`Authenticated as assumedRoleId ${answer.AssumedRoleUser.AssumedRoleId}`);
} catch (error) {
  core.setFailed(error.message);
}
