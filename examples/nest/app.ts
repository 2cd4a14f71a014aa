import 'reflect-metadata'
import { type AccessClaims, createGuard } from '@mapae/guard'
import { Auth, Claims, MapaeModule } from '@mapae/guard/nest'
import { Controller, Get, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'

@Controller('orders')
class Orders {
  @Get()
  @Auth()
  list(@Claims() claims: AccessClaims) {
    return { greeting: `Hello, ${claims.sub}`, orders: [] }
  }

  @Post()
  @Auth({ scope: 'orders:write' })
  add() {
    return { order: 1 }
  }
}

const guard = createGuard({ issuer: process.env['MAPAE_URL'] ?? 'http://localhost:4000' })
@Module({ imports: [MapaeModule.forRoot(guard)], controllers: [Orders] })
class App {}

const app = await NestFactory.create(App, { logger: ['error'] })
await app.listen(process.env['PORT'] ?? 3006, 'localhost')
console.log(`Orders are served on http://localhost:${app.getHttpServer().address().port}/orders`)
