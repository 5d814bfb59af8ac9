// What `aws-actions/amazon-ecr-login` does: an authorization of ECR, and
// `docker login` with it. `docker/login-action` is the same `docker login`, with
// the password on its standard input.

import * as core from '@actions/core';
import * as exec from '@actions/exec';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';

async function login(parameters, options) {
  const done = await exec.getExecOutput('docker', ['login', ...parameters], {
    silent: true,
    ignoreReturnCode: true,
    ...options,
  });
  if (done.exitCode !== 0) {
    throw new Error(`Could not login: ${done.stderr}`);
  }
}

try {
  const client = new ECRClient({ customUserAgent: 'amazon-ecr-login-for-github-actions' });
  const answer = await client.send(new GetAuthorizationTokenCommand({}));
  for (const { authorizationToken, proxyEndpoint } of answer.authorizationData) {
    const text = Buffer.from(authorizationToken, 'base64').toString('utf-8');
    const [user, password] = text.split(':', 2);
    core.setSecret(password);
    await login(['-u', user, '-p', password, proxyEndpoint]);
    await exec.exec('docker', ['logout', proxyEndpoint], { silent: true });
    await login(['--username', user, '--password-stdin', proxyEndpoint], {
      input: Buffer.from(password),
    });
  }
} catch (error) {
  core.setFailed(error.message);
}
