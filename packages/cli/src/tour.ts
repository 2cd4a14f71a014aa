/**
 * A walk through the API to paste into bash or zsh line by line, as often as one likes: register, be served, renew with both
 * tokens, look at the sessions, log out, be refused. No comments (an interactive zsh runs them) and no jq.
 */
export function tour(url: string): readonly string[] {
  return [
    `URL=${url} EMAIL=me-$(date +%s)-$RANDOM@example.com JSON='content-type: application/json'`,
    `ANSWER=$(curl -sS $URL/auth/register -H "$JSON" -d '{"email":"'$EMAIL'","password":"correct horse battery"}'); printf '%s\\n' "$ANSWER"`,
    `token() { printf '%s' "$ANSWER" | sed "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/"; }`,
    'ACCESS=$(token access_token) REFRESH=$(token refresh_token)',
    `curl -sS $URL/auth/me -H "Authorization: Bearer $ACCESS" -w '\\n'`,
    `ANSWER=$(curl -sS $URL/auth/refresh -H "Authorization: Bearer $ACCESS" -H "$JSON" -d '{"refresh_token":"'$REFRESH'"}'); printf '%s\\n' "$ANSWER"`,
    'ACCESS=$(token access_token) REFRESH=$(token refresh_token)',
    `curl -sS $URL/auth/sessions -H "Authorization: Bearer $ACCESS" -w '\\n'`,
    `curl -sS $URL/auth/logout -H "Authorization: Bearer $ACCESS" -H "$JSON" -d '{"refresh_token":"'$REFRESH'"}' -w '%{http_code}\\n'`,
    `curl -sS $URL/auth/me -H "Authorization: Bearer $ACCESS" -w '\\n'`,
  ]
}
