// What React Native sets up before an app's own code, by its own files; without its views.
import 'react-native/Libraries/Core/setUpGlobals'
import 'react-native/Libraries/Core/setUpPerformance'
import 'react-native/Libraries/Core/polyfillPromise'
import 'react-native/Libraries/Core/setUpTimers'
import 'react-native/Libraries/Core/setUpRegeneratorRuntime'
import 'react-native/Libraries/Core/setUpXHR'
import 'react-native/Libraries/Core/setUpNavigator'
import 'react-native/Libraries/Core/setUpBatchedBridge'
