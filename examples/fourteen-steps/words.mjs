/** What is said at each step. */
export const words = {
  en: {
    title: 'The fourteen steps of a token’s life',
    byHeader: 'tokens in headers',
    byCookie: 'tokens in cookies',
    logsIn: 'The person logs in.',
    compares: 'The server compares identifier and password with the member database.',
    issues: 'It issues both tokens, and records the refresh token beside the user.',
    readable: 'Anyone can read what the access token says; only the signature shows whether it is true:',
    keeps: 'The client keeps the refresh token in a safe place, and sends the access token.',
    verifies: 'The server verifies it, and answers with the data.',
    /** @param {number} seconds */
    expires: (seconds) => `After ${seconds} seconds the access token expires.`,
    couldKnow:
      'The client could look at exp and skip 9 to 11. It handles a 401 all the same: a token can expire on the way.',
    /** @param {number} seconds */
    tooLong: (seconds) =>
      `These tokens live ${seconds} s. Start the server with --access-lifetime 3, or leave --url away.`,
    sendsAllTheSame: 'The client sends it all the same.',
    seesItExpired: 'The server sees that it has expired, and says so.',
    sendsBoth: 'The client sends both: the refresh token, and the expired access token.',
    provesBoth: 'The server proves that neither was tampered with, and issues new ones.',
    goesOn: 'The new token came in the header, and the request goes on.',
    goesOnByCookie: 'The new token came in a cookie, and the request goes on.',
    end: 'Fourteen steps, and the person was asked for the password once.',
    /** @param {string} url */
    nobody: (url) => `No Mapae answers on ${url}: run npm start, or leave --url and MAPAE_URL away.`,
  },
  ko: {
    title: '토큰의 일생, 열네 단계',
    byHeader: '헤더로 전달',
    byCookie: '쿠키로 전달',
    logsIn: '사용자가 로그인합니다.',
    compares: '서버가 아이디와 비밀번호를 회원 DB와 대조합니다.',
    issues: '두 토큰을 발급하고, 리프레시 토큰을 회원 DB에 함께 기록합니다.',
    readable: '액세스 토큰의 내용은 누구나 읽을 수 있습니다. 진짜인지는 서명만이 말해 줍니다.',
    keeps: '클라이언트는 리프레시 토큰을 안전한 곳에 두고, 액세스 토큰을 실어 요청합니다.',
    verifies: '서버가 토큰을 검증하고 데이터를 돌려줍니다.',
    /** @param {number} seconds */
    expires: (seconds) => `${seconds}초가 지나 액세스 토큰이 만료됩니다.`,
    couldKnow:
      '클라이언트가 exp를 먼저 보면 9~11단계를 건너뛸 수 있습니다. 가는 도중에 만료될 수도 있으니 401도 처리합니다.',
    /** @param {number} seconds */
    tooLong: (seconds) =>
      `이 서버의 토큰은 ${seconds}초 동안 유효합니다. 서버를 --access-lifetime 3으로 띄우거나 --url을 빼세요.`,
    sendsAllTheSame: '클라이언트가 만료된 토큰을 그대로 보냅니다.',
    seesItExpired: '서버가 만료를 확인하고 그렇다고 알려 줍니다.',
    sendsBoth: '클라이언트가 리프레시 토큰과 만료된 액세스 토큰을 함께 보냅니다.',
    provesBoth: '서버가 둘 다 조작되지 않았음을 확인하고 새 토큰을 발급합니다.',
    goesOn: '새 토큰을 헤더로 받고, 요청을 이어 갑니다.',
    goesOnByCookie: '새 토큰을 쿠키로 받고, 요청을 이어 갑니다.',
    end: '열네 단계가 끝났습니다. 비밀번호는 한 번만 물었습니다.',
    /** @param {string} url */
    nobody: (url) => `${url}에서 마패가 응답하지 않습니다. npm start로 띄우거나 --url과 MAPAE_URL을 빼세요.`,
  },
}
