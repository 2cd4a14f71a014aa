/** What the example uses of React Native, for where that is not installed. */
import type { ComponentType, ReactNode } from 'react'

export declare const View: ComponentType<{ style?: object; children?: ReactNode }>
export declare const Text: ComponentType<{ accessibilityRole?: 'alert' | 'header'; children?: ReactNode }>
export declare const Button: ComponentType<{ title: string; onPress?: () => void }>
export declare const TextInput: ComponentType<{
  value?: string
  onChangeText?: (text: string) => void
  placeholder?: string
  secureTextEntry?: boolean
  autoCapitalize?: 'none'
  keyboardType?: 'email-address'
  autoComplete?: 'email' | 'password'
}>
